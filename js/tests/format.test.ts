import { describe, expect, it } from "vitest";

import { exactCost, formatCost, formatDuration, formatPrice, formatSize, isZero } from "../src/format";

describe("formatCost", () => {
  it.each([
    ["0.001234567", "$0.00123"],
    ["0.00123", "$0.00123"],
    ["0.0000002", "$0.0000002"],
    ["2E-7", "$0.0000002"],
    ["0.00099951", "$0.001"],
    ["0.9996", "$1.00"],
    ["0.1", "$0.10"],
    ["0.0125", "$0.0125"],
    ["1.005", "$1.01"],
    ["1.5", "$1.50"],
    ["12", "$12.00"],
    ["1234567.891", "$1,234,567.89"],
    ["-0.002", "-$0.002"],
    ["0", "$0"],
    ["0.00", "$0"],
    ["0E+5", "$0"],
    ["0E-20", "$0"],
  ])("shows %s as %s", (cost, shown) => expect(formatCost(cost)).toBe(shown));

  it("never shows a cost as zero that is none", () => {
    for (let exponent = 1; exponent <= 20; exponent++) expect(formatCost(`1E-${exponent}`)).toMatch(/1$|10$/);
  });

  it("gives null for what is no number, never zero", () => {
    for (const text of ["", ".", "NaN", "Infinity", "1,5", "free"]) expect(formatCost(text)).toBeNull();
  });
});

it("exactCost keeps every digit, also those a float would lose", () => {
  expect(exactCost("0.12345678901234567890")).toBe("$0.1234567890123456789");
  expect(exactCost("1E-20")).toBe("$0.00000000000000000001");
});

it.each([
  ["0.25", "$0.25"],
  ["2", "$2"],
  ["10.00", "$10"],
  ["0.5", "$0.50"],
  ["0.075", "$0.075"],
  ["0", "$0"],
])("formatPrice shows %s as %s", (price, shown) => expect(formatPrice(price)).toBe(shown));

it("isZero is true for a known zero only", () => {
  expect(["0", "0.00", "0E-9"].every(isZero)).toBe(true);
  expect(["", "0.1", "x"].some(isZero)).toBe(false);
});

it.each([
  [0, "0 ms"],
  [420.4, "420 ms"],
  [2134, "2.1 s"],
  [59_960, "1 min"],
  [72_000, "1 min 12 s"],
])("formatDuration shows %d as %s", (ms, shown) => expect(formatDuration(ms)).toBe(shown));

it.each([
  [512, "512"],
  [8192, "8.2K"],
  [128_000, "128K"],
  [1_048_576, "1M"],
])("formatSize shows %d as %s", (count, shown) => expect(formatSize(count)).toBe(shown));
