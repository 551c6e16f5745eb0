import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { AskShown, FieldShown, ToPanel, ToolShown } from "../../src/protocol";
import { CALM_MS } from "../../src/render/asks/cards";
import { Panel } from "../../src/render/panel";
import { Session } from "../../src/session";
import { Host } from "../host";
import { message, question, state } from "../kernel";

let host: Host;
let el: HTMLElement;
let panel: Panel;
let session: Session;
let seq = 1;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "requestAnimationFrame", "cancelAnimationFrame"] });
  host = new Host();
  el = document.createElement("div");
  document.body.replaceChildren(el);
  session = new Session(host);
  panel = new Panel(session, el);
  seq = 1;
  say(state(seq));
});

afterEach(() => {
  panel.dispose();
  vi.useRealTimers();
});

function say(...messages: ToPanel[]): void {
  host.say(...messages);
  vi.advanceTimersByTime(50);
}

function ask(shown: AskShown): void {
  say({ type: "asked", seq: ++seq, ask: shown });
}

function calm(): void {
  vi.advanceTimersByTime(CALM_MS + 50);
}

function approval(parts: Partial<NonNullable<AskShown["approval"]>> = {}): AskShown {
  return {
    id: "a1",
    kind: "approval",
    approval: {
      plugin: "files",
      tool: "delete",
      title: "",
      description: "Deletes <b>for ever</b>",
      arguments: '{"path":"/home/ada"}',
      call_id: "call-1",
      read_only: false,
      destructive: true,
      changed: false,
      ...parts,
    },
  };
}

const TOOL: ToolShown = { id: "call-1", name: "files_delete", arguments: '{"path":"/home/ada"}', result: null, is_error: false };

function calling(): void {
  say(
    { type: "turn_started", seq: ++seq, turn: "t1", question: question("Tidy up"), answer: message({ id: "a", status: "streaming", turn: "t1" }) },
    { type: "deltas", seq: ++seq, deltas: [{ turn: "t1", tools: [TOOL] }] },
  );
}

function card(): HTMLElement {
  return el.querySelector(".vc-ask") as HTMLElement;
}

function button(name: string): HTMLButtonElement {
  return [...card().querySelectorAll("button")].find((b) => b.textContent?.trim() === name) as HTMLButtonElement;
}

function text(node: Element | null): string {
  return node?.textContent?.replace(/\s+/g, " ").trim() ?? "";
}

function answers(): unknown[] {
  return host.sentOf("ask_answer");
}

describe("an approval", () => {
  it("stands on its tool call's card, which opens and shows the arguments", () => {
    calling();
    ask(approval());
    const tool = el.querySelector("details.vc-tool") as HTMLDetailsElement;
    expect(tool.open).toBe(true);
    expect(tool.contains(card())).toBe(true);
    expect(text(tool.querySelector("pre"))).toBe('{ "path": "/home/ada" }');
    expect(text(tool.querySelector(".vc-tool-state"))).toBe("Waiting for your answer");
  });

  it("without a card of its call stands by itself, with the arguments", () => {
    ask(approval());
    expect(el.querySelector(".vc-asks .vc-ask")).not.toBeNull();
    expect(text(card().querySelector("pre"))).toBe('{ "path": "/home/ada" }');
  });

  it("draws what the server says as text", () => {
    ask(approval());
    expect(card().querySelector("b")).toBeNull();
    expect(card().textContent).toContain("Deletes <b>for ever</b>");
  });

  it.each([
    [{ read_only: true }, "Only reads, says the plugin"],
    [{ destructive: true }, "May change or delete things, says the plugin"],
    [{ destructive: false }, "May change things"],
  ])("says what the tool may do: %o", (parts, said) => {
    ask(approval(parts));
    expect(card().querySelector(".vc-ask-hint")?.textContent).toBe(said);
  });

  it("warns when the tool is not what was allowed before", () => {
    ask(approval({ changed: true }));
    expect(card().querySelector(".vc-ask-warning")?.textContent).toContain("not what you allowed before");
  });

  it.each([
    ["Allow once", "once"],
    ["Always for this tool", "always_tool"],
    ["Always for this plugin", "always_plugin"],
    ["Don't allow", "no"],
    ["Never", "never"],
  ])("is answered by %s", (name, choice) => {
    ask(approval());
    calm();
    button(name).click();
    expect(answers()).toEqual([{ type: "ask_answer", ask: "a1", choice }]);
  });

  it("takes no click in its first moment, which was meant for something else", () => {
    ask(approval());
    expect(button("Allow once").disabled).toBe(true);
    button("Allow once").click();
    expect(answers()).toEqual([]);
    calm();
    expect(button("Allow once").disabled).toBe(false);
  });

  it("goes when it is answered elsewhere or moot", () => {
    ask(approval());
    say({ type: "ask_ended", seq: ++seq, ask: "a1" });
    expect(card()).toBeNull();
  });

  it("is there again after a reload", () => {
    say(state(++seq, { asks: [approval()] }));
    expect(text(card().querySelector("h3"))).toBe("May files run delete?");
  });

  it("is announced", () => {
    ask(approval());
    expect(el.querySelector('[role="log"]')?.textContent).toContain("May files run delete?");
  });
});

describe("the focus", () => {
  it("goes to the card and to no button, when the user waits in the panel", () => {
    el.querySelector("textarea")?.focus();
    ask(approval());
    expect(document.activeElement).toBe(card());
    const enter = new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true });
    card().dispatchEvent(enter);
    calm();
    expect(answers()).toEqual([]);
  });

  it("stays where something is being typed", () => {
    const field = el.querySelector("textarea") as HTMLTextAreaElement;
    field.focus();
    session.setDraft("half a quest");
    ask(approval());
    expect(document.activeElement).toBe(field);
  });

  it("stays outside the panel, where the user works", () => {
    const cell = document.body.appendChild(document.createElement("input"));
    cell.focus();
    ask(approval());
    expect(document.activeElement).toBe(cell);
  });

  it("returns to the composer when the last question is answered", () => {
    el.querySelector("textarea")?.focus();
    ask(approval());
    say({ type: "ask_ended", seq: ++seq, ask: "a1" });
    expect(document.activeElement).toBe(el.querySelector("textarea"));
  });
});

function field(parts: Partial<FieldShown> & Pick<FieldShown, "name" | "kind">): FieldShown {
  return { title: parts.name, description: "", required: false, default: null, options: [], least: null, most: null, ...parts };
}

describe("a form", () => {
  const options = [
    { value: "r", title: "Red" },
    { value: "g", title: "Green" },
  ];
  const fields: FieldShown[] = [
    field({ name: "name", kind: "text", title: "Your name", description: "As on the card", required: true, default: "Ada" }),
    field({ name: "age", kind: "integer" }),
    field({ name: "when", kind: "date" }),
    field({ name: "mail", kind: "email" }),
    field({ name: "news", kind: "boolean", default: "true" }),
    field({ name: "colour", kind: "choice", options, default: "g" }),
    field({ name: "many", kind: "choices", options, default: '["r"]' }),
  ];
  const shown = (changed: FieldShown[] = fields): AskShown => ({
    id: "f1",
    kind: "form",
    form: { plugin: "files", message: "Who are you?", fields: changed },
  });

  function submit(): void {
    calm();
    card().querySelector("form")?.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
  }

  function input(name: string): HTMLInputElement {
    return card().querySelector(`[name="${name}"]`) as HTMLInputElement;
  }

  it("has a named field for each value, as its kind wants it, with what stands in it at first", () => {
    ask(shown());
    expect(input("name").value).toBe("Ada");
    expect(card().querySelector(`label[for="${input("name").id}"]`)?.textContent).toBe("Your name");
    expect(document.getElementById(input("name").getAttribute("aria-describedby") ?? "")?.textContent).toBe("As on the card");
    expect([input("when").type, input("mail").type, input("news").type]).toEqual(["date", "email", "checkbox"]);
    expect(input("colour").value).toBe("g");
    expect(text(card().querySelector(`label[for="${input("age").id}"]`))).toBe("age optional");
  });

  it("is sent with all that stands in it", () => {
    ask(shown());
    input("name").value = "Bo";
    input("age").value = "42";
    submit();
    expect(answers()).toEqual([{ type: "ask_answer", ask: "f1", choice: "accept", text: expect.any(String) }]);
    expect(JSON.parse(host.sentOf("ask_answer")[0]?.text ?? "")).toEqual({
      name: "Bo",
      age: "42",
      when: "",
      mail: "",
      news: true,
      colour: "g",
      many: ["r"],
    });
  });

  it("says what is wrong at the field and keeps what was entered", () => {
    ask(shown());
    input("age").value = "4.5";
    submit();
    ask(shown(fields.map((one) => (one.name === "age" ? { ...one, problem: "Write a whole number." } : one))));
    expect(input("age").value).toBe("4.5");
    expect(input("age").getAttribute("aria-invalid")).toBe("true");
    expect(document.getElementById(input("age").getAttribute("aria-describedby") ?? "")?.textContent).toBe("Write a whole number.");
    expect(card().querySelector('[role="alert"]')?.textContent).toBe("One entry has to be changed.");
  });

  it.each([
    ["Decline", "decline"],
    ["Cancel", "cancel"],
  ])("is left by %s", (name, choice) => {
    ask(shown());
    calm();
    button(name).click();
    expect(answers()).toEqual([{ type: "ask_answer", ask: "f1", choice }]);
  });
});

describe("a page to visit", () => {
  const visit = (url: string, paste = false): AskShown => ({
    id: "v1",
    kind: "visit",
    visit: { plugin: "mail", message: "Sign in", url, paste },
  });

  it("shows the whole address and opens it without a way back", () => {
    ask(visit("https://login.example/?a=1&b=<x>"));
    expect(card().querySelector(".vc-ask-url")?.textContent).toBe("https://login.example/?a=1&b=<x>");
    const link = card().querySelector("a") as HTMLAnchorElement;
    expect([link.target, link.rel]).toEqual(["_blank", "noopener noreferrer"]);
    expect(card().querySelector("input")).toBeNull();
  });

  it.each(["javascript:alert(1)", "data:text/html,x", " javascript:alert(1)", "file:///etc/passwd"])("is no link for %s", (url) => {
    ask(visit(url));
    expect(card().querySelector("a")).toBeNull();
    expect(card().querySelector(".vc-ask-warning")).not.toBeNull();
  });

  it("is said to be opened where nothing comes back", () => {
    ask(visit("https://mail.example"));
    calm();
    button("I have opened it").click();
    expect(answers()).toEqual([{ type: "ask_answer", ask: "v1", choice: "accept", text: "" }]);
  });

  it("takes the address pasted back", () => {
    ask(visit("https://login.example", true));
    calm();
    (card().querySelector("input") as HTMLInputElement).value = " http://127.0.0.1/cb?code=1 ";
    card().querySelector("form")?.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
    expect(answers()).toEqual([{ type: "ask_answer", ask: "v1", choice: "accept", text: "http://127.0.0.1/cb?code=1" }]);
  });
});

it("a plugin that wants a model asked shows the model, the words and the most it costs", () => {
  const sampling = { plugin: "files", model: "lab/one", system: "Be brief", text: "Sum <up>", max_tokens: 1500, most_cost: "0.0312" };
  ask({ id: "s1", kind: "sampling", sampling });
  expect(text(card())).toContain("May files ask lab/one?");
  expect(text(card())).toContain("at most $0.0312 for up to 1,500 tokens");
  expect([...card().querySelectorAll("pre")].map((pre) => pre.textContent)).toEqual(["Be brief", "Sum <up>"]);
});

it.each([
  ["Send", "send"],
  ["Don't send", "no"],
])("a cost is agreed to or not: %s", (name, choice) => {
  ask({ id: "c1", kind: "confirmation", confirmation: { message: "It may cost up to $0.70.", most_cost: "0.7", model: "lab/one" } });
  expect(text(card())).toContain("At most $0.70");
  calm();
  button(name).click();
  expect(answers()).toEqual([{ type: "ask_answer", ask: "c1", choice }]);
});

it("a question of a kind this panel does not know is left alone", () => {
  ask({ id: "x1", kind: "riddle" as never });
  expect(card()).toBeNull();
});

describe("a permission that a plugin lacks", () => {
  it("is shown exactly as it is granted, as text, and answered once its card has calmed down", () => {
    ask({ id: "g1", kind: "grant", grant: { plugin: "files", permit: "file_read", value: "/data/<img src=x>", proven: false } });
    expect(text(card().querySelector("pre"))).toBe("Read /data/<img src=x>");
    button("Allow reading").click();
    expect(answers()).toEqual([]);
    calm();
    button("Allow reading").click();
    expect(answers()).toEqual([{ type: "ask_answer", ask: "g1", choice: "accept" }]);
  });
});

describe("the key file's passphrase", () => {
  function fields(): HTMLInputElement[] {
    return [...card().querySelectorAll<HTMLInputElement>("input")];
  }

  it("is typed unseen, sent once, and gone from the field", () => {
    ask({ id: "p1", kind: "passphrase", passphrase: { new: false } });
    calm();
    expect(fields().map((one) => one.type)).toEqual(["password"]);
    (fields()[0] as HTMLInputElement).value = "correct horse";
    button("Unlock").click();
    expect(answers()).toEqual([{ type: "ask_answer", ask: "p1", choice: "accept", text: "correct horse" }]);
    expect(fields()[0]?.value).toBe("");
  });

  it("is typed twice alike where it is being chosen", () => {
    ask({ id: "p2", kind: "passphrase", passphrase: { new: true } });
    calm();
    const [first, again] = fields() as [HTMLInputElement, HTMLInputElement];
    first.value = "correct horse";
    again.value = "battery";
    button("Use it").click();
    expect(answers()).toEqual([]);
    again.value = "correct horse";
    again.dispatchEvent(new Event("input"));
    button("Use it").click();
    expect(answers()).toHaveLength(1);
  });
});
