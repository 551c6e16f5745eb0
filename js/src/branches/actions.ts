/** What can be done with one message: the buttons below it, and the states they lead to. */
import { html, nothing, type TemplateResult } from "lit-html";

import { returned } from "../chips";
import { icon, type IconName } from "../icons";
import type { MessageShown } from "../protocol";
import { copyButton } from "../render/copy";
import { ModelMenu } from "../render/models";
import type { View } from "../store";
import { QuestionEditor } from "./editor";
import { strings } from "./strings";
import type { BranchTalk } from "./talk";

/** What the focus goes to once a drawing is done, as a selector. */
type Goal = string;

export interface ActionsContext {
  readonly talk: BranchTalk;
  readonly view: () => View;
  /** Draws again. */
  readonly redraw: () => void;
  /** Shows a message once it is there. */
  readonly reveal: (message: string) => void;
  /** A question was sent: the reader wants to see its answer. */
  readonly sent: () => void;
  readonly enterKey: (provider: string) => void;
}

export class MessageActions {
  private readonly editors = new Map<string, QuestionEditor>();
  private readonly menus = new Map<string, ModelMenu>();
  private readonly copies = new Map<string, HTMLButtonElement>();
  private sure = "";
  private goal: Goal = "";

  constructor(private readonly context: ActionsContext) {}

  dispose(): void {
    for (const menu of this.menus.values()) menu.dispose();
  }

  /** Forgets what belongs to messages that are no longer shown. */
  keep(ids: ReadonlySet<string>): void {
    for (const [id, menu] of this.menus) {
      if (ids.has(id)) continue;
      menu.dispose();
      this.menus.delete(id);
    }
    // What is half typed stays, wherever the reader is.
    for (const id of this.copies.keys()) if (!ids.has(id)) this.copies.delete(id);
  }

  /** What a message's buttons look like depends on, besides the message. */
  stateOf(message: string): string {
    return `${this.context.talk.free} ${this.editors.has(message)} ${this.sure === message}`;
  }

  /** The editor that stands in a question's place. */
  editor(message: MessageShown): HTMLElement | null {
    return this.editors.get(message.id)?.node ?? null;
  }

  question(message: MessageShown): TemplateResult {
    if (this.sure === message.id) return this.asking(message);
    const busy = !this.context.talk.free;
    return html`<div class="vc-actions vc-acts vc-acts-question" data-acts=${message.id}>
      ${this.versions(message, busy)}
      <span class="vc-acts-quiet">
        ${act("edit", strings.edit, () => this.edit(message), busy)} ${this.copy(message)}
      </span>
      ${this.pin(message)}
      <span class="vc-acts-quiet">${act("trash", strings.remove, () => this.ask(message), busy)}</span>
    </div>`;
  }

  /** What stands with an answer's own buttons. */
  answer(message: MessageShown): TemplateResult {
    const busy = !this.context.talk.free;
    return html`${this.versions(message, busy)}
      <span class="vc-acts-quiet">${this.menu(message, busy)}</span>
      ${this.pin(message)}`;
  }

  /** Answers the same question again, by the model that answered it. */
  again(message: MessageShown): void {
    this.context.talk.regenerate(message.id, message.model || this.context.view().model);
  }

  /** A drawing is done: the focus goes where the last action leads. */
  settle(root: ParentNode): void {
    if (this.goal === "") return;
    const found = root.querySelector<HTMLElement>(this.goal);
    if (!found) return;
    this.goal = "";
    found.focus({ preventScroll: true });
    found.scrollIntoView?.({ block: "nearest" });
  }

  private versions(message: MessageShown, busy: boolean): TemplateResult | typeof nothing {
    const { siblings = [], sibling = 0 } = message;
    if (siblings.length < 2) return nothing;
    const [at, of] = [sibling + 1, siblings.length];
    const turn = (to: number, name: string) => {
      const id = siblings[to];
      if (id === undefined || !this.context.talk.show(id)) return;
      const end = to === 0 ? "next" : to === of - 1 ? "previous" : name;
      this.goal = `[data-version=${JSON.stringify(id)}] [data-turn="${end}"]`;
      this.context.reveal(id);
    };
    const arrow = (name: "previous" | "next", to: number) => html`<button
      type="button"
      class="vc-button-icon vc-version-turn"
      data-turn=${name}
      aria-label=${strings[name]}
      title=${strings[name]}
      ?disabled=${busy || to < 0 || to >= of}
      @click=${() => turn(to, name)}
    >
      ${icon("chevron")}
    </button>`;
    return html`<span class="vc-versions" role="group" aria-label=${strings.versions(at, of)} data-version=${siblings[sibling] ?? ""}>
      ${arrow("previous", sibling - 1)}<span class="vc-version" aria-hidden="true">${strings.version(at, of)}</span>${arrow("next", sibling + 1)}
    </span>`;
  }

  private pin(message: MessageShown): TemplateResult {
    const on = message.pinned === true;
    const label = on ? strings.unpin : strings.pin;
    return html`<span class=${on ? "vc-acts-pinned" : "vc-acts-quiet"}>
      <button
        type="button"
        class="vc-button-icon"
        aria-label=${label}
        aria-pressed=${on ? "true" : "false"}
        title=${label}
        @click=${() => this.context.talk.pin(message.id, !on)}
      >
        ${icon("pin")}
      </button>
    </span>`;
  }

  private copy(message: MessageShown): HTMLButtonElement {
    let button = this.copies.get(message.id);
    if (!button) {
      button = copyButton(() => message.text, "", "vc-button-icon");
      button.setAttribute("aria-label", strings.copyQuestion);
      button.title = strings.copyQuestion;
      this.copies.set(message.id, button);
    }
    return button;
  }

  private menu(message: MessageShown, busy: boolean): HTMLElement {
    let menu = this.menus.get(message.id);
    if (!menu) {
      menu = new ModelMenu(
        {
          select: (model) => this.context.talk.regenerate(message.id, model),
          refresh: () => undefined,
          enterKey: (provider) => this.context.enterKey(provider),
        },
        { label: strings.regenerateWith, models: () => this.context.view().models },
      );
      this.menus.set(message.id, menu);
    }
    menu.update(this.context.view().models, message.model, []);
    menu.disable(busy);
    return menu.node;
  }

  private edit(message: MessageShown): void {
    const done = () => {
      this.editors.delete(message.id);
      this.goal = `[data-acts=${JSON.stringify(message.id)}] button[aria-label="${strings.edit}"]`;
      this.context.redraw();
    };
    const editor = new QuestionEditor(message.text, {
      send: (text) => {
        const chips = returned(message.attachments ?? [], []);
        if (!this.context.talk.instead(message.id, text, chips)) return false;
        this.editors.delete(message.id);
        this.context.sent();
        return true;
      },
      cancel: done,
    });
    this.editors.set(message.id, editor);
    this.context.redraw();
    requestAnimationFrame(() => requestAnimationFrame(() => editor.focus()));
  }

  private ask(message: MessageShown): void {
    this.sure = message.id;
    this.goal = `[data-acts=${JSON.stringify(message.id)}] .vc-button-danger`;
    this.context.redraw();
  }

  private asking(message: MessageShown): TemplateResult {
    const back = () => {
      this.sure = "";
      this.goal = `[data-acts=${JSON.stringify(message.id)}] button[aria-label="${strings.remove}"]`;
      this.context.redraw();
    };
    const remove = () => {
      this.sure = "";
      if (this.context.talk.remove(message.id)) this.goal = ".vc-composer textarea";
      this.context.redraw();
    };
    const pressed = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      back();
    };
    return html`<div
      class="vc-actions vc-acts vc-acts-question vc-acts-sure"
      role="group"
      aria-label=${strings.removeSure}
      data-acts=${message.id}
      @keydown=${pressed}
    >
      <span>${strings.removeSure}</span>
      <button type="button" class="vc-button-text vc-button-danger" ?disabled=${!this.context.talk.free} @click=${remove}>
        ${strings.removeYes}
      </button>
      <button type="button" class="vc-button-text" @click=${back}>${strings.cancel}</button>
    </div>`;
  }
}

function act(name: IconName, label: string, run: () => void, disabled: boolean): TemplateResult {
  return html`<button
    type="button"
    class="vc-button-icon"
    aria-label=${label}
    title=${label}
    ?disabled=${disabled}
    @click=${run}
  >
    ${icon(name)}
  </button>`;
}
