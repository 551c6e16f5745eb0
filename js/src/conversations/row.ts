/** One conversation in the list: its line, and what can be done with it. All that was said is drawn as text. */
import { html, nothing, type TemplateResult } from "lit-html";

import { exactCost, formatCost } from "../format";
import { icon } from "../icons";
import type { ConversationShown, ExportConversation } from "../protocol";
import { strings } from "./strings";
import { marked, timeOf, wholeTimeOf } from "./words";

/** What a row is open for. */
export type Mode = "" | "actions" | "rename" | "tags" | "delete";

export type FileFormat = ExportConversation["format"];

export interface RowActions {
  open(one: ConversationShown): void;
  turn(one: ConversationShown, mode: Mode): void;
  rename(one: ConversationShown, title: string): void;
  retag(one: ConversationShown, tags: readonly string[]): void;
  duplicate(one: ConversationShown): void;
  export(one: ConversationShown, format: FileFormat): void;
  remove(one: ConversationShown): void;
}

export interface RowState {
  readonly mode: Mode;
  /** Whether the keys that move through the list are here. */
  readonly active: boolean;
  readonly current: boolean;
  readonly search: string;
  readonly now: Date;
  /** The id of the list of known tags. */
  readonly known: string;
}

const FORMATS: readonly FileFormat[] = ["markdown", "json", "notebook"];

export function row(one: ConversationShown, state: RowState, actions: RowActions): TemplateResult {
  const title = one.title || strings.untitled;
  const open = state.mode !== "" && state.mode !== "rename";
  return html`<div class="vc-talk${state.current ? " vc-talk-current" : ""}" role="listitem" data-talk=${one.id}>
    <div class="vc-talk-line">
      ${state.mode === "rename" ? renaming(one, actions) : line(one, title, state, actions)}
      <button
        type="button"
        class="vc-button-icon vc-talk-more"
        tabindex=${state.active ? "0" : "-1"}
        aria-label=${strings.actions(title)}
        aria-expanded=${open}
        title=${strings.actions(title)}
        @click=${() => actions.turn(one, state.mode === "" ? "actions" : "")}
      >
        ${icon("dots")}
      </button>
    </div>
    ${open ? html`<div class="vc-talk-strip">${strip(one, state, actions)}</div>` : nothing}
  </div>`;
}

function line(one: ConversationShown, title: string, state: RowState, actions: RowActions): TemplateResult {
  return html`<button
    type="button"
    class="vc-talk-open"
    tabindex=${state.active ? "0" : "-1"}
    aria-current=${state.current ? "true" : nothing}
    @click=${() => actions.open(one)}
    @dblclick=${() => actions.turn(one, "rename")}
  >
    <span class="vc-talk-title">${withMarks(title, state.search)}</span>
    <span class="vc-talk-time" title=${wholeTimeOf(one.updated_at)}>${timeOf(one.updated_at, state.now)}</span>
    <span class="vc-talk-meta">${meta(one)}</span>
    ${one.snippet ? html`<span class="vc-talk-snippet">${withMarks(one.snippet, state.search)}</span>` : nothing}
    ${one.tags.length > 0 && state.mode !== "tags" ? html`<span class="vc-talk-tags">${one.tags.map((tag) => html`<span class="vc-tag">${tag}</span>`)}</span>` : nothing}
  </button>`;
}

function meta(one: ConversationShown): TemplateResult {
  const cost = one.total_cost === null ? null : formatCost(one.total_cost);
  const exact = one.total_cost === null ? "" : (exactCost(one.total_cost) ?? "");
  const model = one.model.split("/").slice(1).join("/") || one.model;
  return html`${one.answering ? html`<span class="vc-talk-answering">${strings.answering}</span> · ` : nothing}${model
    ? html`<span class="vc-talk-model" title=${one.model}>${model}</span> · `
    : nothing}<span>${strings.messages(one.message_count)}</span>${cost ? html` · <span title=${exact}>${cost}</span>` : nothing}`;
}

function withMarks(text: string, search: string): (TemplateResult | string)[] {
  return marked(text, search).map((piece) => (piece.hit ? html`<mark>${piece.text}</mark>` : piece.text));
}

function renaming(one: ConversationShown, actions: RowActions): TemplateResult {
  const done = (event: Event) => actions.rename(one, (event.target as HTMLInputElement).value);
  return html`<input
    class="vc-talk-field vc-talk-rename"
    type="text"
    maxlength="200"
    aria-label=${strings.title}
    .value=${one.title}
    @blur=${(event: FocusEvent) => {
      // A row that is drawn elsewhere loses the focus to nobody.
      if (event.relatedTarget !== null) done(event);
    }}
    @keydown=${(event: KeyboardEvent) => {
      if (event.isComposing || event.key !== "Enter") return;
      // The focus goes back to the row's button, which the same key would press.
      event.preventDefault();
      done(event);
    }}
  />`;
}

function strip(one: ConversationShown, state: RowState, actions: RowActions): TemplateResult {
  if (state.mode === "tags") return tagging(one, state, actions);
  if (state.mode === "delete") {
    return html`<p class="vc-talk-sure">${strings.confirmDelete}</p>
      <div class="vc-talk-verbs">
        <button type="button" class="vc-talk-verb vc-talk-danger" data-first @click=${() => actions.remove(one)}>${strings.delete}</button>
        <button type="button" class="vc-talk-verb" @click=${() => actions.turn(one, "")}>${strings.cancel}</button>
      </div>`;
  }
  return html`<div class="vc-talk-verbs">
      <button type="button" class="vc-talk-verb" data-first @click=${() => actions.turn(one, "rename")}>${strings.rename}</button>
      <button type="button" class="vc-talk-verb" @click=${() => actions.turn(one, "tags")}>${strings.editTags}</button>
      <button type="button" class="vc-talk-verb" @click=${() => actions.duplicate(one)}>${strings.duplicate}</button>
      <button type="button" class="vc-talk-verb" @click=${() => actions.turn(one, "delete")}>${strings.delete}</button>
    </div>
    <div class="vc-talk-verbs" role="group" aria-label=${strings.exportAs}>
      <span class="vc-talk-label" aria-hidden="true">${strings.exportAs}</span>
      ${FORMATS.map(
        (format) => html`<button
          type="button"
          class="vc-talk-verb"
          title=${strings.exportTitle(strings.formats[format])}
          @click=${() => actions.export(one, format)}
        >
          ${strings.formats[format]}
        </button>`,
      )}
    </div>`;
}

function tagging(one: ConversationShown, state: RowState, actions: RowActions): TemplateResult {
  const add = (field: HTMLInputElement) => {
    const tag = field.value.trim();
    field.value = "";
    if (tag !== "" && !one.tags.includes(tag)) actions.retag(one, [...one.tags, tag]);
  };
  return html`<div class="vc-talk-tagging">
    ${one.tags.map(
      (tag) => html`<span class="vc-tag"
        >${tag}<button
          type="button"
          class="vc-tag-remove"
          aria-label=${strings.removeTag(tag)}
          title=${strings.removeTag(tag)}
          @click=${() => actions.retag(one, one.tags.filter((other) => other !== tag))}
        >
          ${icon("close")}
        </button></span
      >`,
    )}
    <input
      class="vc-talk-field"
      type="text"
      data-first
      maxlength="40"
      list=${state.known}
      aria-label=${strings.addTag}
      placeholder=${strings.addTag}
      @change=${(event: Event) => add(event.target as HTMLInputElement)}
      @keydown=${(event: KeyboardEvent) => {
        const field = event.target as HTMLInputElement;
        if (!event.isComposing && (event.key === "Enter" || event.key === ",")) {
          event.preventDefault();
          add(field);
        }
      }}
    />
    <button type="button" class="vc-talk-verb" @click=${() => actions.turn(one, "")}>${strings.done}</button>
  </div>`;
}
