/** Where a question is typed: grows with its text, takes files, sends on Enter, turns its button into Stop. */
import { render } from "lit-html";

import { sendable, type Chip, type UploadLimits } from "../chips";
import { filesOf } from "../files";
import { icon } from "../icons";
import { preferences } from "../settings/preferences";
import { running, type View } from "../store";
import { strings } from "../strings";
import { chipRow } from "./chips";
import { estimateLine } from "./estimate";

export interface ComposerActions {
  /** The text changed. */
  typed(text: string): void;
  /** The text and what is attached shall be sent. */
  send(text: string, chips: readonly Chip[]): void;
  /** These files shall go with the question. */
  attach(files: readonly File[]): void;
  detach(key: string): void;
  stop(): void;
}

let composers = 0;

/** The field grows up to this height, then scrolls. */
const MOST_PX = 220;

export class Composer {
  readonly node = document.createElement("div");
  readonly field = document.createElement("textarea");
  /** Take a key before the composer does, the first that will; true when it did. */
  readonly intercepts: ((event: KeyboardEvent) => boolean)[] = [];
  private readonly left = document.createElement("div");
  private readonly above = document.createElement("div");
  private readonly button = document.createElement("button");
  private readonly hint = document.createElement("span");
  private readonly estimate = document.createElement("div");
  private readonly estimateId = `vc-estimate-${++composers}`;
  private readonly besides = document.createElement("div");
  private readonly chipFrame = document.createElement("div");
  private readonly clip = document.createElement("button");
  private readonly picker = document.createElement("input");
  private chips: readonly Chip[] = [];
  private uploads: UploadLimits | null = null;
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
    this.left.className = "vc-composer-left";
    this.left.append(this.clip, this.hint);
    this.estimate.className = "vc-estimate-frame";
    bar.append(this.left, this.estimate, this.button);
    this.prepareFiles();
    this.node.append(this.above, this.besides, this.chipFrame, this.field, bar);

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
      if (event.target instanceof Element && event.target !== this.field && !event.target.closest("button, li, form, section, .vc-menu, .vc-pasted")) {
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
    if (view.chips !== this.chips || view.uploads !== this.uploads) {
      this.chips = view.chips;
      this.uploads = view.uploads;
      render(chipRow(view.chips, view.uploads, (key) => this.actions.detach(key)), this.chipFrame);
    }
    render(estimateLine(view.estimate, this.estimateId), this.estimate);
    this.hint.hidden = view.estimate !== null;
    const nothing = view.draft.trim() === "" && view.chips.length === 0;
    const able = view.ready && view.link !== "gone";
    this.clip.disabled = !able;
    if (this.mode === "send") this.button.disabled = nothing || !able || !sendable(view.chips, view.uploads);
  }

  /** Puts another way to attach beside the paperclip. */
  offer(button: HTMLButtonElement): void {
    this.clip.after(button);
  }

  /** Puts something that goes with the question above its files. */
  beside(node: HTMLElement): void {
    this.besides.append(node);
  }

  /** Opens the file dialog. */
  choose(): void {
    this.picker.click();
  }

  /** Shows something above the text, alone; it takes itself away. */
  show(node: HTMLElement): void {
    this.above.replaceChildren(node);
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

  private prepareFiles(): void {
    this.picker.type = "file";
    this.picker.multiple = true;
    this.picker.hidden = true;
    this.picker.addEventListener("change", () => {
      this.actions.attach([...(this.picker.files ?? [])]);
      // The same file chosen again is a change again.
      this.picker.value = "";
      this.focus();
    });
    this.clip.type = "button";
    this.clip.className = "vc-button-icon vc-clip";
    this.clip.title = strings.attach;
    this.clip.setAttribute("aria-label", strings.attach);
    this.clip.append(icon("paperclip"));
    this.clip.addEventListener("click", () => this.choose());
    this.node.append(this.picker);
    this.field.addEventListener("paste", (event) => {
      const files = filesOf(event.clipboardData);
      if (files.length === 0) return;
      event.preventDefault();
      this.actions.attach(files);
    });
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
    if (this.intercepts.some((take) => take(event))) return;
    const modified = event.ctrlKey || event.metaKey;
    if (event.key === "Enter" && !event.shiftKey && !event.altKey && (modified || preferences().sendWith === "enter")) {
      event.preventDefault();
      if (this.mode === "send") this.act();
    }
  }

  private act(): void {
    if (this.mode === "stop") this.actions.stop();
    const something = this.field.value.trim() !== "" || this.chips.length > 0;
    if (this.mode === "send" && something) this.actions.send(this.field.value, this.chips);
    this.focus();
  }
}
