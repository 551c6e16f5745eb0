import { describe, expect, it } from "vitest";

import { frame } from "../host";
import { message, model, question, state } from "../kernel";
import { all, el, host, labelled, panel, press } from "./page";

async function talked(): Promise<void> {
  await panel({
    messages: [
      question("One?", { id: "q1" }),
      message({ id: "a1", text: "1", model: "demo/echo" }),
      question("Two?", { id: "q2", siblings: ["q0", "q2", "q3"], sibling: 1 }),
      message({ id: "a2", text: "2", model: "demo/other" }),
    ],
    models: [model("demo/echo"), model("demo/other")],
  });
}

const row = (id: string) => el.querySelector<HTMLElement>(`[data-key="${id}"]`);
const act = (id: string, label: string) => row(id)?.querySelector<HTMLButtonElement>(`button[aria-label="${label}"]`);

async function editing(): Promise<HTMLTextAreaElement> {
  act("q1", "Edit and ask again")?.click();
  await frame();
  return row("q1")?.querySelector("textarea") as HTMLTextAreaElement;
}

describe("an answer", () => {
  it("is asked for again of the model that gave it", async () => {
    await talked();
    act("a2", "Ask again")?.click();
    expect(host.sentOf("regenerate")).toMatchObject([{ message: "a2", model: "demo/other" }]);
  });

  it("is asked for again of another model from a menu", async () => {
    await talked();
    act("a1", "Ask again with another model")?.click();
    await frame();
    all(".vc-option").find((one) => one.textContent?.includes("other"))?.click();
    expect(host.sentOf("regenerate")).toMatchObject([{ message: "a1", model: "demo/other" }]);
  });
});

describe("a question", () => {
  it("is edited where it stands and asked instead, while what followed is gone from sight", async () => {
    await talked();
    const field = await editing();
    expect(field.value).toBe("One?");
    field.value = "Other?";
    press(field, { key: "Enter", ctrlKey: true });
    await frame();
    expect(host.sentOf("send")).toMatchObject([{ text: "Other?", replaces: "q1" }]);
    expect(all(".vc-question").map((one) => one.textContent?.trim())).toEqual(["Other?"]);
  });

  it("stays as it was on Escape, which stops nothing and leads back to its button", async () => {
    await talked();
    const field = await editing();
    field.value = "Other?";
    press(field, { key: "Escape" });
    await frame();
    expect(host.sentOf("send")).toEqual([]);
    expect(row("q1")?.querySelector("textarea")).toBeNull();
    expect(document.activeElement).toBe(act("q1", "Edit and ask again"));
  });

  it("keeps what is half typed in it when a state comes", async () => {
    await talked();
    (await editing()).value = "Half";
    host.say(state(2, { messages: [question("One?", { id: "q1" }), message({ id: "a1", text: "1" })] }));
    await frame();
    expect(row("q1")?.querySelector("textarea")?.value).toBe("Half");
  });

  it("leaves the composer's draft alone when it is edited", async () => {
    await talked();
    const composer = el.querySelector<HTMLTextAreaElement>(".vc-composer textarea");
    if (composer) composer.value = "One?";
    composer?.dispatchEvent(new Event("input", { bubbles: true }));
    press(await editing(), { key: "Enter", ctrlKey: true });
    await frame();
    expect(composer?.value).toBe("One?");
  });
});

describe("versions", () => {
  it("are named and lead to the one before and the one after", async () => {
    await talked();
    expect(row("q2")?.querySelector('[role="group"]')?.getAttribute("aria-label")).toBe("Version 2 of 3");
    expect(row("q1")?.querySelector(".vc-versions")).toBeNull();
    act("q2", "Previous version")?.click();
    act("q2", "Next version")?.click();
    expect(host.sentOf("show_branch").map((m) => m.message)).toEqual(["q0", "q3"]);
  });

  it("end at the first and the last, and the focus stays on the switch", async () => {
    await talked();
    act("q2", "Previous version")?.click();
    host.say(
      state(2, { messages: [question("Zero?", { id: "q0", siblings: ["q0", "q2", "q3"], sibling: 0 }), message({ text: "0" })] }),
    );
    await frame();
    expect(act("q0", "Previous version")?.disabled).toBe(true);
    expect(document.activeElement).toBe(act("q0", "Next version"));
  });
});

describe("deleting", () => {
  it("asks first, and deletes when the user is sure", async () => {
    await talked();
    act("q1", "Delete question and answer")?.click();
    await frame();
    expect(host.sentOf("delete_turn")).toEqual([]);
    const sure = row("q1")?.querySelector<HTMLButtonElement>(".vc-button-danger");
    expect(document.activeElement).toBe(sure);
    sure?.click();
    expect(host.sentOf("delete_turn")).toMatchObject([{ message: "q1" }]);
  });

  it("is called off with Escape", async () => {
    await talked();
    act("q1", "Delete question and answer")?.click();
    await frame();
    press(row("q1")?.querySelector(".vc-button-danger") as Element, { key: "Escape" });
    await frame();
    expect(row("q1")?.querySelector(".vc-button-danger")).toBeNull();
    expect(document.activeElement).toBe(act("q1", "Delete question and answer"));
  });

  it("is not offered while an answer is written", async () => {
    await talked();
    host.say({
      type: "turn_started",
      seq: 2,
      turn: "t",
      question: question("Three?", { turn: "t" }),
      answer: message({ status: "streaming", turn: "t" }),
    });
    await frame();
    for (const label of ["Edit and ask again", "Delete question and answer"]) expect(act("q1", label)?.disabled).toBe(true);
    expect(act("q2", "Previous version")?.disabled).toBe(true);
  });
});

describe("pins", () => {
  const pin = { message: "q1", role: "user" as const, text: "One?", shown: true };

  it("are set on a message, told by its button and listed in the header", async () => {
    await talked();
    expect(el.querySelector<HTMLElement>(".vc-pins")?.hidden).toBe(true);
    act("q1", "Pin")?.click();
    expect(host.sentOf("pin_message")).toMatchObject([{ message: "q1", pinned: true }]);
    host.say({ type: "pinned", seq: 2, message: "q1", pinned: true, pins: [pin] });
    await frame();
    expect(act("q1", "Unpin")?.getAttribute("aria-pressed")).toBe("true");
    labelled("1 pinned message")?.click();
    expect(all(".vc-pin").map((one) => one.textContent)).toEqual([expect.stringContaining("One?")]);
  });

  it("lead to their message", async () => {
    await talked();
    host.say({ type: "pinned", seq: 2, message: "q1", pinned: true, pins: [pin] });
    await frame();
    labelled("1 pinned message")?.click();
    all(".vc-pin")[0]?.click();
    await frame();
    expect(row("q1")?.classList).toContain("vc-row-found");
  });

  it("in another version bring that version", async () => {
    await talked();
    host.say({ type: "pinned", seq: 2, message: "x", pinned: true, pins: [{ ...pin, message: "x", shown: false }] });
    await frame();
    labelled("1 pinned message")?.click();
    all(".vc-pin")[0]?.click();
    expect(host.sentOf("show_branch")).toMatchObject([{ message: "x" }]);
    host.say(state(3, { messages: [question("Elsewhere?", { id: "x", pinned: true })] }));
    await frame();
    expect(row("x")?.classList).toContain("vc-row-found");
  });
});

describe("code", () => {
  const code = { id: "a", text: "```python\nx = 1\n```" };
  const cells: { source: string }[] = [];
  const insertCell = (index: number, cell: { source: string }) => cells.splice(index, 0, cell) && cell;
  const manager = { context: { model: { sharedModel: { cells, insertCell } } } };

  it("is inserted and run where something answers that it runs cells", async () => {
    const ran: unknown[] = [];
    const answer = (event: Event) => {
      event.preventDefault();
      ran.push((event as CustomEvent<{ index?: number }>).detail.index);
    };
    document.body.addEventListener("valechat:run", answer);
    await panel({ messages: [question("?"), message(code)] }, manager);
    all(".vc-code-bar button").find((one) => one.textContent === "Insert and run")?.click();
    document.body.removeEventListener("valechat:run", answer);
    expect(cells.map((cell) => cell.source)).toEqual(["x = 1"]);
    expect(ran.at(-1)).toBe(0);
  });

  it("can only be inserted where nothing runs cells", async () => {
    await panel({ messages: [question("?"), message(code)] }, manager);
    expect(all(".vc-code-bar button").map((one) => one.textContent)).toEqual(["Insert below", "Copy"]);
  });
});
