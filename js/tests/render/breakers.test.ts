import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Panel } from "../../src/render/panel";
import { ageing } from "../../src/render/breakers";
import { Session } from "../../src/session";
import { Host } from "../host";
import { model, state } from "../kernel";

const LAB = { provider: "lab", reason: "Overloaded, sorry", seconds: 12 };
let host: Host;
let el: HTMLElement;
let panel: Panel;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "requestAnimationFrame", "cancelAnimationFrame"] });
  host = new Host();
  el = document.createElement("div");
  document.body.replaceChildren(el);
  panel = new Panel(new Session(host), el);
  host.say(state(1, { model: "lab/one", models: [model("lab/one"), model("demo/echo", { demo: true })] }));
  vi.advanceTimersByTime(50);
});

afterEach(() => {
  panel.dispose();
  vi.useRealTimers();
});

function foot(): string {
  return el.querySelector(".vc-foot .vc-breaker")?.textContent?.replace(/\s+/g, " ").trim() ?? "";
}

describe("a provider that is left alone", () => {
  it("is named above the composer with its reason, and its seconds run down", () => {
    host.say({ type: "breakers", seq: 2, breakers: [LAB] });
    vi.advanceTimersByTime(50);
    expect(foot()).toBe("lab failed several times in a row. It is tried again in 12 s. Overloaded, sorry");
    vi.advanceTimersByTime(5_300);
    expect(foot()).toContain("again in 7 s");
    vi.advanceTimersByTime(9_000);
    expect(foot()).toContain("tried again with the next question");
  });

  it("is marked at the menu's button and told in the menu", () => {
    host.say({ type: "breakers", seq: 2, breakers: [LAB] });
    vi.advanceTimersByTime(50);
    const button = el.querySelector<HTMLButtonElement>(".vc-models-button")!;
    expect(button.querySelector(".vc-icon-alert")).not.toBeNull();
    expect(button.title).toContain("tried again in 12 s");
    button.click();
    expect(el.querySelector('[role="group"][aria-label="lab"] .vc-breaker')?.textContent).toContain("Overloaded, sorry");
    expect(el.querySelector('[role="group"][aria-label="demo"] .vc-breaker')).toBeNull();
  });

  it("is no word worth while another provider is selected", () => {
    host.say({ type: "breakers", seq: 2, breakers: [LAB] }, { type: "models", seq: 3, model: "demo/echo", models: [model("demo/echo")] });
    vi.advanceTimersByTime(50);
    expect(foot()).toBe("");
  });

  it("is forgotten when it works again", () => {
    host.say({ type: "breakers", seq: 2, breakers: [LAB] }, { type: "breakers", seq: 3, breakers: [] });
    vi.advanceTimersByTime(50);
    expect(foot()).toBe("");
    expect(el.querySelector(".vc-models-button .vc-icon-alert")).toBeNull();
  });
});

it("seconds never run below zero", () => {
  expect(ageing([LAB], 1000, 14_500)[0]?.seconds).toBe(0);
});
