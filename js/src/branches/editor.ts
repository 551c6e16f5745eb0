/** A question being rewritten where it stands. */
import { strings } from "./strings";

export interface EditorActions {
  /** Tells whether the question was taken. */
  send(text: string): boolean;
  cancel(): void;
}

export class QuestionEditor {
  readonly node = document.createElement("form");
  private readonly field = document.createElement("textarea");

  constructor(
    text: string,
    private readonly actions: EditorActions,
  ) {
    const { node, field } = this;
    node.className = "vc-edit";
    field.value = text;
    field.rows = Math.min(12, Math.max(2, text.split("\n").length));
    field.setAttribute("aria-label", strings.editing);
    const hint = document.createElement("p");
    hint.className = "vc-edit-hint";
    hint.textContent = strings.editHint;
    const buttons = document.createElement("div");
    buttons.className = "vc-edit-buttons";
    const cancel = button(strings.cancel, "vc-button-text", "button");
    cancel.addEventListener("click", () => actions.cancel());
    buttons.append(cancel, button(strings.sendEdited, "vc-button", "submit"));
    node.append(field, hint, buttons);
    field.addEventListener("keydown", (event) => this.pressed(event));
    node.addEventListener("submit", (event) => {
      event.preventDefault();
      this.actions.send(field.value);
    });
  }

  focus(): void {
    this.field.focus({ preventScroll: true });
    this.field.setSelectionRange(this.field.value.length, this.field.value.length);
  }

  private pressed(event: KeyboardEvent): void {
    if (event.isComposing) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this.actions.send(this.field.value);
    } else if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      this.actions.cancel();
    }
  }
}

function button(label: string, className: string, type: "button" | "submit"): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = type;
  made.className = className;
  made.textContent = label;
  return made;
}
