/** Where a question is typed: grows with its text, sends on Enter, turns its button into Stop. */
import { icon } from "../icons";
import { running, type View } from "../store";
import { strings } from "../strings";

export interface ComposerActions {
  /** The text changed. */
  typed(text: string): void;
  /** The text shall be sent. */
  send(text: string): void;
  stop(): void;
}

/** The field grows up to this height, then scrolls. */
const MOST_PX = 220;

export class Composer {
  readonly node = document.createElement("div");
  readonly field = document.createElement("textarea");
  private readonly button = document.createElement("button");
  private readonly hint = document.createElement("span");
  private mode = "";
  private composing = false;

  constructor(private readonly actions: ComposerActions) {
    this.node.className = "vc-composer";
    this.field.rows = 1;
    this.field.setAttribute("aria-label", strings.composerLabel);
    this.hint.className = "vc-composer-hint";
    this.button.type = "button";
    const bar = document.createElement("div");
    bar.className = "vc-composer-bar";
    bar.append(this.hint, this.button);
    this.node.append(this.field, bar);

    this.field.addEventListener("input", () => {
      this.resize();
      this.actions.typed(this.field.value);
    });
    this.field.addEventListener("keydown", (event) => this.pressed(event));
    this.field.addEventListener("compositionstart", () => (this.composing = true));
    this.field.addEventListener("compositionend", () => (this.composing = false));
    this.button.addEventListener("click", () => this.act());
    // A click beside the text belongs to the text.
    this.node.addEventListener("mousedown", (event) => {
      if (event.target instanceof Node && !this.field.contains(event.target) && !this.button.contains(event.target)) {
        event.preventDefault();
        this.field.focus();
      }
    });
  }

  update(view: View): void {
    // Replacing the text under an input method would end the composition and lose its characters.
    if (!this.composing && this.field.value !== view.draft) {
      this.field.value = view.draft;
      this.resize();
    }
    const model = view.models.find((m) => m.id === view.model);
    this.field.placeholder = strings.composerPlaceholder(model?.name ?? view.model);
    this.setMode(this.modeOf(view));
    if (this.mode === "send") this.button.disabled = view.draft.trim() === "" || !view.ready || view.link === "gone";
  }

  focus(): void {
    this.field.focus({ preventScroll: true });
  }

  /** Fits the field's height to its text. */
  resize(): void {
    this.field.style.height = "auto";
    // Not laid out (hidden tab): the CSS minimum holds until it is shown.
    if (this.field.scrollHeight > 0) this.field.style.height = `${Math.min(this.field.scrollHeight, MOST_PX)}px`;
  }

  private modeOf(view: View): string {
    const turns = running(view);
    if (turns.length === 0 || view.link === "gone") return "send";
    return turns.every((turn) => view.stopping.includes(turn)) ? "stopping" : "stop";
  }

  private setMode(mode: string): void {
    if (mode === this.mode) return;
    this.mode = mode;
    const label = mode === "send" ? strings.send : mode === "stop" ? strings.stop : strings.stopping;
    this.button.className = `vc-send vc-send-${mode}`;
    this.button.setAttribute("aria-label", label);
    this.button.title = label;
    this.button.disabled = mode === "stopping";
    this.button.replaceChildren(icon(mode === "send" ? "send" : "stop"));
    this.hint.textContent = mode === "send" ? strings.composerHint : strings.composerBusy;
  }

  private pressed(event: KeyboardEvent): void {
    // Enter accepts an input method's suggestion; Safari reports that one after its composition as 229.
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Enter" && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      if (this.mode === "send") this.act();
    }
  }

  private act(): void {
    if (this.mode === "stop") this.actions.stop();
    if (this.mode === "send" && this.field.value.trim() !== "") this.actions.send(this.field.value);
    this.focus();
  }
}
