/** One message: a question as typed, or an answer with its thoughts, tools, text, notes and figures. */
import { html, nothing, type TemplateResult } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";

import type { MessageActions } from "../branches/actions";
import { icon } from "../icons";
import type { AskShown, AttachmentShown, MessageShown } from "../protocol";
import type { Rich } from "../rich/rich";
import { answerFiles, sources } from "../rich/sources";
import { askOn, callKey, type Pending, type Whole } from "../store";
import { strings } from "../strings";
import { attachmentRow } from "./chips";
import type { CellInserter } from "./code";
import { copyButton } from "./copy";
import { errorBox } from "./errors";
import { figures } from "./footer";
import type { KeyForms } from "./keyform";
import { MarkdownView } from "./markdown";
import { toolCard } from "./tool";
import { userText } from "./usertext";

export interface MessageContext {
  /** What the answer may still get: it streams and the kernel is there. */
  readonly live: boolean;
  /** Given on the last answer, when it can be asked for again. */
  readonly retry: (() => void) | null;
  /** Further pieces of a long text. */
  readonly rest: readonly string[];
  /** Questions to the user, of which some stand on this answer's tool calls. */
  readonly asks: readonly AskShown[];
  /** Tools' whole results, as far as they were brought. */
  readonly results: Readonly<Record<string, Whole>>;
}

export interface ToolActions {
  /** Draws the question that waits on a call's card. */
  readonly asked: (ask: AskShown) => unknown;
  /** Brings the next piece of a call's whole result. */
  readonly more: (message: string, call: string) => void;
}

/** Draws messages and keeps, for each, the nodes that grow with it. */
export class MessageViews {
  private readonly answers = new Map<string, AnswerParts>();
  private readonly questions = new Map<string, { text: string; node: HTMLElement }>();

  constructor(
    private readonly cells: CellInserter | null,
    private readonly forms: KeyForms,
    private readonly showMore: (message: string) => void,
    private readonly tools: ToolActions,
    private readonly rich: Rich | null = null,
    private readonly actions: MessageActions | null = null,
  ) {}

  /** Forgets what belongs to messages that are no longer shown. */
  keep(ids: ReadonlySet<string>): void {
    for (const kept of [this.answers, this.questions]) {
      for (const id of kept.keys()) if (!ids.has(id)) kept.delete(id);
    }
  }

  question(message: MessageShown): TemplateResult {
    const editor = this.actions?.editor(message) ?? null;
    const below = editor || message.turn !== null ? nothing : (this.actions?.question(message) ?? nothing);
    return this.asked(message.id, message.text, message.attachments ?? [], false, editor, below);
  }

  /** A question that the kernel has not taken yet. */
  sending(pending: Pending): TemplateResult {
    const attached = pending.chips.map((one) => ({ ...one, id: one.key, media_type: one.preview ? "image/png" : "" }));
    return this.asked(pending.turn, pending.text, attached, true);
  }

  private asked(
    id: string,
    text: string,
    attached: readonly AttachmentShown[],
    sending: boolean,
    editor: HTMLElement | null = null,
    below: unknown = nothing,
  ): TemplateResult {
    let entry = this.questions.get(id);
    if (entry?.text !== text) {
      entry = { text, node: userText(text, this.cells) };
      this.questions.set(id, entry);
    }
    return html`<article class="vc-message vc-question ${sending ? "vc-sending" : ""}" aria-label=${strings.you}>
      <div class="vc-bubble">${editor ?? (text.trim() === "" ? nothing : entry.node)}${attachmentRow(attached)}</div>
      ${below}
    </article>`;
  }

  answer(message: MessageShown, context: MessageContext): TemplateResult {
    let parts = this.answers.get(message.id);
    if (!parts) this.answers.set(message.id, (parts = new AnswerParts(this.cells, this.rich)));
    parts.update(message, context.live);
    const empty = message.text === "" && message.thinking === "" && message.tools.length === 0;
    const form = this.forms.at(message.id, message.error?.provider);
    return html`<article class="vc-message vc-answer" aria-label=${strings.assistant(message.model)}>
      ${message.thinking ? thoughts(parts.thinking.node, context.live && message.text === "") : nothing}
      ${repeat(
        message.tools,
        (tool) => tool.id,
        (tool) =>
          toolCard(tool, {
            ask: tool.result === null ? askOn(context.asks, tool.id) : undefined,
            asked: this.tools.asked,
            whole: context.results[callKey(message.id, tool.id)],
            more: () => this.tools.more(message.id, tool.id),
          }),
      )}
      ${message.text ? parts.text.node : nothing} ${answerFiles(message.files)}
      ${this.rest(message, context)} ${sources(message.citations)} ${context.live && empty ? waiting() : nothing}
      ${message.notes.map((note) => html`<p class="vc-note">${icon("info")}<span>${note}</span></p>`)}
      ${message.error ? errorBox(message.error, form) : nothing}
      ${context.live ? nothing : this.footer(message, parts, context)}
    </article>`;
  }

  /** What follows the beginning of a very long text: its pieces as plain text, and the way to the next. */
  private rest(message: MessageShown, { live, rest }: MessageContext): TemplateResult | typeof nothing {
    const more = message.more ?? 0;
    if (more === 0 && rest.length === 0) return nothing;
    const left = more.toLocaleString("en-US");
    return html`${rest.map((piece) => html`<pre class="vc-rest">${piece}</pre>`)}
    ${more === 0
      ? nothing
      : live
        ? html`<p class="vc-more-left">${strings.moreArriving(left)}</p>`
        : html`<button type="button" class="vc-button-text vc-more" @click=${() => this.showMore(message.id)}>
            ${icon("down")}${strings.showMore(left)}
          </button>`}`;
  }

  private footer(message: MessageShown, parts: AnswerParts, { retry }: MessageContext): TemplateResult {
    const status = message.status === "streaming" ? "interrupted" : message.status;
    const label = status === "complete" ? undefined : (strings.status[status] ?? status);
    return html`<footer class="vc-footer">
      <div class="vc-figures-frame">
        <div class="vc-figures">
          ${label ? html`<span class="vc-chip vc-chip-${status}">${label}</span>` : nothing}${figures(message)}
        </div>
      </div>
      <div class="vc-actions">
        ${this.actions?.answer(message) ?? nothing} ${message.text ? parts.copy : nothing}
        ${retry
          ? html`<button
              type="button"
              class="vc-button-icon"
              aria-label=${strings.retry}
              title=${strings.retry}
              @click=${retry}
            >
              ${icon("retry")}
            </button>`
          : nothing}
      </div>
    </footer>`;
  }
}

/** The nodes of one answer that live as long as it is shown. */
class AnswerParts {
  readonly text: MarkdownView;
  readonly thinking: MarkdownView;
  readonly copy: HTMLButtonElement;
  private source = "";

  constructor(cells: CellInserter | null, rich: Rich | null) {
    this.text = new MarkdownView(cells, rich);
    this.thinking = new MarkdownView(null, rich);
    this.copy = copyButton(() => this.source, "", "vc-button-icon");
    this.copy.setAttribute("aria-label", strings.copyMessage);
    this.copy.title = strings.copyMessage;
  }

  update(message: MessageShown, live: boolean): void {
    this.source = message.text;
    this.text.update(message.text, !live);
    this.thinking.update(message.thinking, !live);
  }
}

function waiting(): TemplateResult {
  return html`<div class="vc-waiting" role="status" aria-label=${strings.waiting}><i></i><i></i><i></i></div>`;
}

function thoughts(body: HTMLElement, busy: boolean): TemplateResult {
  return html`<details class="vc-fold vc-thoughts">
    <summary class=${busy ? "vc-busy" : ""}>${busy ? strings.thinking : strings.thought}</summary>
    <div class="vc-thoughts-body">${body}</div>
  </details>`;
}
