/** Groups, times and marks. */
import { describe, expect, test } from "vitest";

import { strings } from "../../src/conversations/strings";
import { grouped, groupOf, keyOf, marked } from "../../src/conversations/words";
import { talk } from "./talks";

const NOW = new Date(2026, 10, 22, 0, 30);

describe("groups", () => {
  test("begin at the user's midnight", () => {
    expect(groupOf(new Date(2026, 10, 22, 0, 1).toISOString(), NOW)).toBe(strings.today);
    expect(groupOf(new Date(2026, 10, 21, 23, 59).toISOString(), NOW)).toBe(strings.yesterday);
    expect(groupOf(new Date(2026, 10, 15, 12).toISOString(), NOW)).toBe(strings.week);
    expect(groupOf(new Date(2026, 10, 14, 12).toISOString(), NOW)).toMatch(/November 2026|2026/);
    expect(groupOf(new Date(2026, 10, 22, 9).toISOString(), NOW)).toBe(strings.today);
  });

  test("are named once each, in the order of the list", () => {
    const days = [22, 22, 21, 2].map((day, at) => talk(`c${at}`, { updated_at: new Date(2026, 10, day, 0, 5).toISOString() }));
    const keys = grouped(days, NOW).map(keyOf);
    expect(keys.slice(0, 5)).toEqual([`group ${strings.today}`, "c0", "c1", `group ${strings.yesterday}`, "c2"]);
    expect(keys).toHaveLength(7);
  });
});

describe("marks", () => {
  const hits = (text: string, search: string) => marked(text, search).filter((piece) => piece.hit).map((piece) => piece.text);

  test.each([
    ["The west valley", "VAL west", ["west", "val"]],
    ["Crème brûlée", "creme", ["Crème"]],
    ["unwest", "west", []],
    ["<b>west</b>", "west", ["west"]],
    ["良い天気です", "天気", ["天気"]],
    ["straße", "strasse", []],
    ["anything", "   ", []],
  ])("in %j for %j stand at the beginnings of words", (text, search, found) => {
    expect(hits(text, search)).toEqual(found);
    expect(marked(text, search).map((piece) => piece.text).join("")).toBe(text);
  });
});
