/** The settings: what is shown, what a change sends, and what comes of it. */
import { beforeEach, describe, expect, test } from "vitest";

import type { Settings } from "../src/protocol";
import { prefer, preferences, USUAL } from "../src/settings/preferences";
import { strings } from "../src/settings/strings";
import { SettingsTalk } from "../src/settings/talk";
import { el, host, labelled, panel, press, type } from "./render/page";

const setting = (name: string, value = "", usual = "", now = "") => ({ name, value, usual, now });

function settings(seq: number, parts: Partial<Settings> = {}): Settings {
  return {
    type: "settings",
    seq,
    file: "/home/ada/config.toml",
    problem: "",
    warnings: [],
    chat: [setting("system"), setting("temperature"), setting("fallback")],
    settings: [
      setting("default_model"),
      setting("limits.daily", "5.00"),
      setting("limits.models.openai/gpt-5.4.monthly", "20"),
      setting("sizes.message", "", "50 KB"),
    ],
    providers: [
      { name: "openai", kind: "openai", base_url: "https://api.openai.com/v1", source: "keychain", stored: true, local: false, built_in: true },
      { name: "groq", kind: "openai-compatible", base_url: "https://api.groq.com/openai/v1", source: "", stored: false, local: false, built_in: true },
    ],
    ...parts,
  };
}

function field(label: string): HTMLInputElement {
  const found = [...el.querySelectorAll<HTMLLabelElement>(".vc-setting label")].find((one) => one.textContent === label);
  return el.querySelector(`#${found?.htmlFor}`) as HTMLInputElement;
}

function about(input: HTMLElement): string {
  return el.querySelector(`#${input.getAttribute("aria-describedby")}`)?.textContent?.trim() ?? "";
}

function enter(input: HTMLInputElement, value: string): void {
  input.value = value;
  input.dispatchEvent(new Event("input", { bubbles: true }));
  press(input, { key: "Enter" });
}

function tab(name: string): void {
  const found = [...el.querySelectorAll<HTMLElement>('[role="tab"]')].find((one) => one.textContent?.trim() === name);
  found?.click();
}

async function answered(): Promise<void> {
  await new Promise((done) => setTimeout(done));
}

beforeEach(async () => {
  localStorage.clear();
  prefer(USUAL);
  await panel();
  labelled(strings.settings)?.click();
  host.say(settings(2));
});

describe("opening", () => {
  test("asks the kernel what is set", () => {
    expect(host.sentOf("open_settings")).toHaveLength(1);
    expect(el.querySelector("dialog")?.hasAttribute("open")).toBe(true);
  });

  test("a file that cannot be read leaves the chat's own controls", () => {
    host.say(settings(3, { problem: "config.toml, line 3: no TOML." }));
    expect(field("Temperature")).not.toBeNull();
    tab("Limits");
    expect(el.querySelector(".vc-settings-body")?.textContent).toContain("config.toml, line 3: no TOML.");
    expect(el.querySelector(".vc-setting")).toBeNull();
  });
});

describe("a field", () => {
  test("is sent on Enter, once, and says that it is saved", async () => {
    enter(field("Temperature"), "0.2");
    field("Temperature").dispatchEvent(new Event("change"));
    const [sent, ...more] = host.sentOf("change_chat");
    expect(sent).toMatchObject({ name: "temperature", value: "0.2" });
    expect(more).toEqual([]);
    host.say(settings(3, { chat: [setting("temperature", "0.2")] }), { type: "setting_changed", seq: 4, number: sent?.number ?? 0, error: null });
    await answered();
    expect(about(field("Temperature"))).toContain(strings.saved);
  });

  test("keeps what was refused, with the reason at the field", async () => {
    const input = field("Temperature");
    enter(input, "9");
    const number = host.sentOf("change_chat")[0]?.number ?? 0;
    host.say(settings(3), { type: "setting_changed", seq: 4, number, error: { kind: "ConfigError", message: "'9' is not a number from 0 to 2.", fix: "Or leave it empty." } });
    await answered();
    expect(input.value).toBe("9");
    expect(input.getAttribute("aria-invalid")).toBe("true");
    expect(about(input)).toBe("'9' is not a number from 0 to 2. Or leave it empty.");
  });

  test("is told when the kernel goes before it answers", async () => {
    const talk = new SettingsTalk(() => true);
    const outcome = talk.changeChat("temperature", "1");
    talk.forget();
    expect(await outcome).toMatchObject({ message: strings.gone });
  });

  test("says what holds when it is empty, and what a project lowers", () => {
    host.say(settings(3, { settings: [setting("sizes.message", "", "50 KB", "10 KB")] }));
    tab("Sizes and storage");
    expect(about(field("A message"))).toContain("Left empty: 50 KB");
    expect(about(field("A message"))).toContain("lowers it to 10 KB");
  });
});

describe("limits", () => {
  test("of a model are named by the model, dots and all", () => {
    tab("Limits");
    expect(field("openai/gpt-5.4, a month").value).toBe("20");
  });

  test("a new one is sent by its place in the file", async () => {
    tab("Limits");
    const form = el.querySelector("form.vc-settings-form") as HTMLFormElement;
    (form.elements.namedItem("of") as HTMLInputElement).value = "openai/gpt-5.4";
    (form.elements.namedItem("amount") as HTMLInputElement).value = "3";
    form.requestSubmit();
    expect(host.sentOf("change_settings")[0]).toMatchObject({ names: ["limits.models.openai/gpt-5.4.monthly"], values: ["3"] });
  });
});

describe("keys", () => {
  test("are entered in a form whose value is sent and not kept", () => {
    tab("Models and keys");
    labelled(`groq: ${strings.keyEnter}`)?.click();
    const password = el.querySelector('dialog input[type="password"]') as HTMLInputElement;
    password.value = "gsk-secret";
    password.form?.requestSubmit();
    expect(host.sentOf("set_key")).toEqual([{ type: "set_key", provider: "groq", key: "gsk-secret" }]);
    expect(password.value).toBe("");
    expect(el.innerHTML).not.toContain("gsk-secret");
  });

  test("are forgotten after a second click only, and only where they are kept", () => {
    tab("Models and keys");
    expect(labelled(`groq: ${strings.keyForget}`)).toBeNull();
    labelled(`openai: ${strings.keyForget}`)?.click();
    expect(host.sentOf("delete_key")).toEqual([]);
    labelled(`openai: ${strings.keyForget}`)?.click();
    expect(host.sentOf("delete_key")[0]).toMatchObject({ provider: "openai" });
  });
});

describe("appearance", () => {
  test("is kept in the browser and shown by the panel", () => {
    tab("Appearance");
    el.querySelector<HTMLInputElement>('input[name="vc-textSize"]:not(:checked)')?.click();
    expect(preferences().textSize).toBe("small");
    expect(el.querySelector<HTMLElement>(".vc-root")?.dataset["text"]).toBe("small");
    expect(JSON.parse(localStorage.getItem("valechat.preferences") ?? "{}").textSize).toBe("small");
  });

  test("chooses what sends a question", () => {
    prefer({ sendWith: "modified" });
    el.querySelector("dialog")?.removeAttribute("open");
    const composer = type("hello");
    press(composer, { key: "Enter" });
    expect(host.sentOf("send")).toEqual([]);
    press(composer, { key: "Enter", ctrlKey: true });
    expect(host.sentOf("send")).toHaveLength(1);
  });
});

test("the arrow keys go through the sections", () => {
  const first = el.querySelector('[role="tab"][aria-selected="true"]') as HTMLElement;
  press(first, { key: "ArrowDown" });
  expect(el.querySelector('[role="tab"][aria-selected="true"]')?.textContent?.trim()).toBe(strings.tabs.models);
});
