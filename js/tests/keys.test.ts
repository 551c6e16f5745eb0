import { beforeEach, expect, it } from "vitest";

import keys from "../src/keys";
import { Host } from "./host";

let host: Host;
let el: HTMLElement;

beforeEach(() => {
  host = new Host(undefined, { provider: "anthropic" });
  el = document.createElement("div");
  document.body.replaceChildren(el);
  keys.render({ model: host, el });
});

function enter(key: string): HTMLInputElement {
  const field = el.querySelector("input") as HTMLInputElement;
  field.value = key;
  field.form?.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
  return field;
}

it("names the provider whose key it asks for", () => {
  expect(el.textContent).toContain("API key for anthropic");
});

it("sends the key and forgets it at once", () => {
  const field = enter(" sk-ant-invented \n");
  expect(host.sent).toEqual([{ type: "set_key", provider: "anthropic", key: "sk-ant-invented" }]);
  expect(field.value).toBe("");
  expect(document.documentElement.outerHTML).not.toContain("sk-ant-invented");
});

it("sends no empty key", () => {
  enter("  ");
  expect(host.sent).toEqual([]);
});

it("shows what the kernel says, good or bad", () => {
  enter("sk-ant-invented");
  host.say({ type: "notice", seq: 1, text: "Stored in the keychain", error: null });
  expect(el.querySelector(".vc-good")?.textContent).toContain("Stored in the keychain");
  const error = { kind: "KeychainUnavailable", message: "No keychain here", fix: "Use an environment variable" };
  host.say({ type: "notice", seq: 2, text: "", error });
  expect(el.querySelector(".vc-error")?.textContent).toContain("Use an environment variable");
});
