/** What a tool answered, drawn harmlessly: text as text, pictures and sounds from the bytes at hand, links to read. */
import { html, nothing, type TemplateResult } from "lit-html";

import { formatBytes, formatDuration } from "../../format";
import type { Called, ContentShown, ErrorShown } from "../protocol";
import { words } from "../strings";
import { icon } from "../../icons";

const PICTURES = /^image\/(png|jpeg|gif|webp)$/;
const SOUNDS = /^audio\/[\w.+-]+$/;

export function resultOf(result: Called): TemplateResult {
  if (result.error) return errorOf(result.error);
  const empty = result.content.length === 0 && result.structured === "";
  return html`<div class="vcp-result ${result.is_error ? "vcp-result-error" : ""}" role="region" aria-label=${words.result}>
    <p class="vcp-result-head">
      ${result.is_error ? words.resultError : words.result}
      <span class="vcp-muted">${words.took(formatDuration(result.duration_ms))}</span>
    </p>
    ${result.content.map(piece)}
    ${result.structured
      ? html`<details class="vc-fold"><summary>${words.structured}</summary><pre class="vcp-pre" tabindex="0">${result.structured}</pre></details>`
      : nothing}
    ${empty ? html`<p class="vcp-muted">${words.emptyResult}</p>` : nothing}
  </div>`;
}

export function errorOf(error: ErrorShown): TemplateResult {
  return html`<div class="vc-error" role="alert">
    ${icon("alert")}
    <div class="vc-error-body">
      <p class="vc-error-message">${error.message}</p>
      ${error.fix ? html`<p class="vc-error-fix">${error.fix}</p>` : nothing}
    </div>
  </div>`;
}

function piece(content: ContentShown): TemplateResult {
  const about = content.uri || content.name;
  const head = about ? html`<p class="vcp-uri">${content.name && content.uri ? `${content.name}: ` : ""}${content.uri || content.name}</p>` : nothing;
  if (content.text !== "") return html`${head}<pre class="vcp-pre" tabindex="0">${content.text}</pre>`;
  if (content.data !== "" && PICTURES.test(content.media_type)) {
    return html`${head}<img class="vcp-picture" alt=${content.name || content.media_type} src=${`data:${content.media_type};base64,${content.data}`} />`;
  }
  if (content.data !== "" && SOUNDS.test(content.media_type)) {
    return html`${head}<audio controls src=${`data:${content.media_type};base64,${content.data}`}></audio>`;
  }
  if (content.kind === "link") return html`${head}`;
  return html`${head}<p class="vcp-muted">${words.binary(content.media_type, formatBytes(content.size))}</p>`;
}
