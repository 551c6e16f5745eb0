/** Copying text, also where the page is served without TLS and has no clipboard of its own. */
import { icon } from "../icons";
import { strings } from "../strings";

const SHOWN_MS = 1600;

/** A button that copies what `text` gives at the time of the click and says so. */
export function copyButton(text: () => string, label: string, className: string): HTMLButtonElement {
  const button = document.createElement("button");
  button.type = "button";
  button.className = className;
  button.append(icon("copy"), label);
  button.addEventListener("click", () => {
    void copied(text(), button).then((done) => flash(button, done ? strings.copied : strings.copyFailed));
  });
  return button;
}

/** Says something in a button's place for a moment. */
export function flash(button: HTMLButtonElement, text: string): void {
  if (button.dataset["flashing"]) return;
  button.dataset["flashing"] = "1";
  const before = [...button.childNodes];
  const label = button.getAttribute("aria-label");
  const iconOnly = button.classList.contains("vc-button-icon");
  button.replaceChildren(icon("check"), ...(iconOnly ? [] : [text]));
  if (label !== null) button.setAttribute("aria-label", text);
  setTimeout(() => {
    button.replaceChildren(...before);
    if (label !== null) button.setAttribute("aria-label", label);
    delete button.dataset["flashing"];
  }, SHOWN_MS);
}

/** Copies, and tells whether it did. `near` is where a helper field may stand for an instant. */
export async function copied(text: string, near: Element): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // No clipboard without TLS, or not allowed: the old way still works there.
    const field = document.createElement("textarea");
    field.value = text;
    field.className = "vc-offscreen";
    near.after(field);
    field.select();
    const done = document.execCommand?.("copy") ?? false;
    field.remove();
    return done;
  }
}
