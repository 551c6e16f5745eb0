/**
 * The form that takes an API key. The value lives in the field until it is sent and nowhere else: the
 * field is emptied before the message leaves, and nothing reads it but the submit handler.
 */
import { icon } from "../icons";
import { strings } from "../strings";

export class KeyForm {
  readonly node = document.createElement("form");
  private readonly field = document.createElement("input");
  private readonly button = document.createElement("button");

  constructor(
    readonly provider: string,
    private readonly store: (provider: string, key: string) => void,
  ) {
    this.node.className = "vc-key";
    this.node.noValidate = true;
    const label = document.createElement("label");
    const name = document.createElement("span");
    name.className = "vc-key-name";
    name.append(icon("key"), strings.keyFor(provider));
    this.field.type = "password";
    this.field.autocomplete = "off";
    this.field.spellcheck = false;
    // Password managers offer to keep what they find; this key has its own keychain.
    for (const name of ["data-1p-ignore", "data-lpignore", "data-bwignore"]) this.field.setAttribute(name, "true");
    label.append(name, this.field);
    this.button.type = "submit";
    this.button.className = "vc-button";
    this.button.textContent = strings.keySave;
    const note = document.createElement("p");
    note.className = "vc-key-note";
    note.textContent = strings.keyNote;
    const row = document.createElement("div");
    row.className = "vc-key-row";
    row.append(label, this.button);
    this.node.append(row, note);
    this.node.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
  }

  /** The kernel answered: another key can be entered. */
  settle(): void {
    this.button.disabled = false;
    this.button.textContent = strings.keySave;
  }

  focus(): void {
    this.field.focus();
  }

  private submit(): void {
    const key = this.field.value.trim();
    this.field.value = "";
    if (key === "") {
      this.field.placeholder = strings.keyNeeded;
      this.field.focus();
      return;
    }
    this.field.placeholder = "";
    this.button.disabled = true;
    this.button.textContent = strings.keySaving;
    this.store(this.provider, key);
  }
}

/** The forms on show, one a place, so that drawing the panel again keeps what is half typed. */
export class KeyForms {
  private readonly forms = new Map<string, KeyForm>();

  constructor(private readonly store: (provider: string, key: string) => void) {}

  at(place: string, provider: string | undefined): KeyForm | null {
    if (provider === undefined) return null;
    const old = this.forms.get(place);
    if (old?.provider === provider) return old;
    const form = new KeyForm(provider, this.store);
    this.forms.set(place, form);
    return form;
  }

  settle(): void {
    for (const form of this.forms.values()) form.settle();
  }
}
