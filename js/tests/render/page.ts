/** A panel on a page, as the tests of its parts need it. */
import type { State } from "../../src/protocol";
import widget from "../../src/widget";
import { Host, frame } from "../host";
import { state } from "../kernel";

export let host: Host;
export let el: HTMLElement;

/** Draws a panel for `model` into `element`, as a host does. */
export function mount(model: Host, element: HTMLElement): void {
  host = model;
  el = element;
  const { initialize, render } = widget();
  initialize({ model });
  render({ model, el: element });
}

/** A panel whose kernel has answered with a state. */
export async function panel(parts: Partial<State> = {}, manager?: unknown): Promise<void> {
  const element = document.createElement("div");
  document.body.replaceChildren(element);
  mount(new Host(manager), element);
  host.say(state(1, parts));
  await frame();
}

export function all(selector: string): HTMLElement[] {
  return [...el.querySelectorAll<HTMLElement>(selector)];
}

export function labelled(label: string): HTMLElement | null {
  return el.querySelector(`[aria-label="${label}"]`);
}

export function type(text: string): HTMLTextAreaElement {
  const field = el.querySelector("textarea") as HTMLTextAreaElement;
  field.value = text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  return field;
}

export function press(target: Element, init: KeyboardEventInit): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { bubbles: true, cancelable: true, composed: true, ...init });
  target.dispatchEvent(event);
  return event;
}
