/** A question to the user, as a box: allow a call, fill in a form, open a page, agree to a cost. */
import { html, nothing, type TemplateResult } from "lit-html";

import { icon } from "../../icons";
import type { Question } from "../protocol";
import { words } from "../strings";
import { fieldsOf, schemaForm, valuesOf } from "./schemaform";

export type Answer = (action: string, values: string) => void;

export function questionBox(question: Question, prefix: string, answer: Answer): TemplateResult {
  const body = { approve, fill, visit, confirm: approve }[question.kind](question, prefix, answer);
  return html`<section class="vcp-question" role="alertdialog" aria-label=${`${words.asking}: ${question.title}`}>
    <p class="vcp-question-title">${icon(question.kind === "visit" ? "key" : "tool")}<span>${question.title}</span></p>
    ${question.text ? html`<p class="vcp-question-text">${question.text}</p>` : nothing}
    ${question.detail ? html`<pre class="vcp-pre" tabindex="0">${question.detail}</pre>` : nothing}
    ${question.warning ? html`<p class="vcp-question-warning">${icon("alert")}<span>${question.warning}</span></p>` : nothing} ${body}
  </section>`;
}

function approve(question: Question, _prefix: string, answer: Answer): TemplateResult {
  return html`<div class="vcp-actions">
    ${question.choices.map(
      (choice, at) => html`<button type="button" class="vcp-button ${at === 0 ? "vcp-primary" : ""}" @click=${() => answer(choice.value, "")}>${choice.label}</button>`,
    )}
  </div>`;
}

function fill(question: Question, prefix: string, answer: Answer): TemplateResult {
  let schema: unknown;
  try {
    schema = JSON.parse(question.schema);
  } catch {
    schema = {}; // the kernel wrote it; a form without fields can still be declined
  }
  const fields = fieldsOf(schema);
  const submit = (event: Event) => {
    event.preventDefault();
    const values = valuesOf(event.currentTarget as HTMLElement, fields);
    if (values) answer("accept", JSON.stringify(values));
  };
  return html`<form novalidate @submit=${submit}>
    ${schemaForm(`${prefix}-${question.question}`, fields)}
    <div class="vcp-actions">
      <button type="submit" class="vcp-button vcp-primary">${words.send}</button>
      <button type="button" class="vcp-button" @click=${() => answer("decline", "")}>${words.decline}</button>
      <button type="button" class="vc-button-text" @click=${() => answer("cancel", "")}>${words.cancel}</button>
    </div>
  </form>`;
}

function visit(question: Question, prefix: string, answer: Answer): TemplateResult {
  const safe = /^https?:\/\//i.test(question.url);
  const id = `${prefix}-${question.question}-paste`;
  const submit = (event: Event) => {
    event.preventDefault();
    const value = (event.currentTarget as HTMLElement).querySelector("input")?.value.trim() ?? "";
    if (value !== "") answer("paste", value);
  };
  return html`<p class="vcp-path">${question.url}</p>
    <div class="vcp-actions">
      ${safe ? html`<a class="vcp-button vcp-primary" href=${question.url} target="_blank" rel="noopener noreferrer">${words.openPage}</a>` : nothing}
      <button type="button" class="vcp-button" @click=${() => answer("decline", "")}>${words.cancel}</button>
    </div>
    ${question.paste
      ? html`<form class="vcp-paste" novalidate @submit=${submit}>
          <label class="vcp-label" for=${id}>${words.pasteAddress}</label>
          <div class="vcp-row"><input id=${id} type="text" autocomplete="off" spellcheck="false" /><button type="submit" class="vcp-button">${words.done}</button></div>
          <span class="vcp-hint">${words.pasteNote}</span>
        </form>`
      : nothing}`;
}
