import { describe, expect, it } from "vitest";

import { frame } from "../host";
import { message, model, question } from "../kernel";
import { all, el, host, panel, press } from "./page";

describe("a key", () => {
  const error = { kind: "MissingKey", message: "No key for openai", fix: "Enter one", provider: "openai" };

  async function entered(): Promise<HTMLInputElement> {
    await panel({ messages: [question("Why?"), message({ status: "failed", error })] });
    const field = el.querySelector("input[type=password]") as HTMLInputElement;
    field.value = "sk-invented";
    field.form?.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
    return field;
  }

  it("is asked for where it is missing, sent once and gone from the page", async () => {
    const field = await entered();
    expect(host.sentOf("set_key")).toEqual([{ type: "set_key", provider: "openai", key: "sk-invented" }]);
    expect(field.value).toBe("");
    expect(field.autocomplete).toBe("off");
    await frame();
    expect(document.documentElement.outerHTML).not.toContain("sk-invented");
  });

  it("half typed survives what the kernel says meanwhile", async () => {
    await panel({ messages: [question("Why?"), message({ status: "failed", error })] });
    const field = el.querySelector("input[type=password]") as HTMLInputElement;
    field.value = "sk-ha";
    host.say({ type: "models", seq: 2, model: "demo/echo", models: [model("demo/echo")] });
    await frame();
    expect(el.querySelector<HTMLInputElement>("input[type=password]")?.value).toBe("sk-ha");
  });

  it("can be entered again after the kernel's answer", async () => {
    const field = await entered();
    const save = field.form?.querySelector("button");
    expect(save?.disabled).toBe(true);
    host.say({ type: "notice", seq: 2, text: "Stored in the keychain", error: null });
    await frame();
    expect(save?.disabled).toBe(false);
    expect(el.querySelector(".vc-good")?.textContent).toContain("Stored in the keychain");
  });

  it("is not asked for after other errors", async () => {
    const other = { kind: "ServerDown", message: "No answer", fix: "" };
    await panel({ messages: [question("Why?"), message({ status: "failed", error: other })] });
    expect(el.querySelector("input[type=password]")).toBeNull();
  });
});

describe("the model menu", () => {
  const models = [
    model("demo/echo", { demo: true, input_price: "0", output_price: "0" }),
    model("openai/gpt-5-mini", { input_price: "0.25", output_price: "2" }),
    model("anthropic/claude", { usable: false, why: "No key for anthropic", needs_key: true }),
  ];

  async function opened(): Promise<HTMLInputElement> {
    await panel({ models });
    el.querySelector<HTMLElement>(".vc-models-button")?.click();
    return el.querySelector('[role="combobox"]') as HTMLInputElement;
  }

  it("groups by provider and tells prices, badges and why one cannot be used", async () => {
    await opened();
    expect(all(".vc-menu-provider span").map((p) => p.textContent)).toEqual(["demo", "openai", "anthropic"]);
    const [echo, mini, claude] = all('[role="option"]').map((o) => o.textContent?.replace(/\s+/g, " "));
    expect(echo).toContain("demonstration");
    expect(echo).toContain("free");
    expect(mini).toContain("$0.25 / $2");
    expect(claude).toContain("No key for anthropic");
    expect(all('[aria-disabled="true"]')).toHaveLength(1);
  });

  it("tells a model's whole name where its button may be too narrow for it", async () => {
    const button = () => el.querySelector<HTMLElement>(".vc-models-button");
    await panel({ models, model: "openai/gpt-5-mini" });
    expect(button()?.title).toBe("openai/gpt-5-mini");
    await panel({ models: [model("router/x-1", { name: "X One, the large" })], model: "router/x-1" });
    expect(button()?.title).toBe("X One, the large (router/x-1)");
  });

  it("finds by words and chooses with the keyboard", async () => {
    const search = await opened();
    search.value = "mini open";
    search.dispatchEvent(new Event("input"));
    expect(all('[role="option"]')).toHaveLength(1);
    press(search, { key: "Enter" });
    expect(host.sentOf("select_model")).toEqual([{ type: "select_model", model: "openai/gpt-5-mini" }]);
    expect(el.querySelector(".vc-models-button")?.getAttribute("aria-expanded")).toBe("false");
  });

  it("moves with the arrow keys and tells which is active", async () => {
    const search = await opened();
    press(search, { key: "ArrowDown" });
    const active = search.getAttribute("aria-activedescendant") ?? "";
    expect(document.getElementById(active)?.textContent).toContain("gpt-5-mini");
  });

  it("closes on Escape without stopping an answer", async () => {
    const search = await opened();
    host.say({
      type: "turn_started",
      seq: 2,
      turn: "t1",
      question: question("?"),
      answer: message({ status: "streaming", turn: "t1" }),
    });
    press(search, { key: "Escape" });
    expect(host.sentOf("stop")).toEqual([]);
    expect(all('[role="option"]')).toHaveLength(0);
  });

  it("chooses no model that cannot be used, and offers to enter its key", async () => {
    await opened();
    all('[role="option"]')[2]?.click();
    expect(host.sentOf("select_model")).toEqual([]);
    expect(el.querySelector(".vc-notice input[type=password]")).not.toBeNull();
  });
});
