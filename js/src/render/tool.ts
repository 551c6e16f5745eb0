/**
 * A tool call as a card: whose tool, called with what, how far it is, the question whether it may run, and its
 * result. All of it is a model's or a server's and drawn as text; nothing in it is a link. A table or a picture of a
 * Python function is what its caller wanted to see: such a card is open.
 */
import { html, nothing, type TemplateResult } from "lit-html";

import { formatBytes, formatCount, formatDuration } from "../format";
import { icon } from "../icons";
import type { AskShown, ProgressShown, ToolFileShown, ToolShown } from "../protocol";
import { tableView } from "../results/table";
import { strings as results } from "../results/strings";
import type { Whole } from "../store";
import { strings } from "../strings";
import { brief, indented, spelled } from "./json";

export interface ToolContext {
  /** The question that waits on this call. */
  readonly ask: AskShown | undefined;
  /** Draws it. */
  readonly asked: (ask: AskShown) => unknown;
  /** The whole result, as far as it was brought. */
  readonly whole: Whole | undefined;
  /** Brings its next piece. */
  readonly more: () => void;
}

export function toolCard(tool: ToolShown, context: ToolContext): TemplateResult {
  const { ask } = context;
  const state = ask ? "asking" : tool.result === null ? "running" : tool.is_error ? "failed" : "done";
  const label = { asking: strings.asking, running: strings.toolRunning, failed: strings.toolFailed, done: strings.toolDone };
  const duration = tool.duration_ms === undefined ? null : formatDuration(tool.duration_ms);
  const seen = toSee(tool);
  return html`<details class="vc-tool vc-tool-${state}" ?data-open=${seen} ?open=${ask !== undefined || seen}>
    <summary>
      ${icon("tool")}
      <span class="vc-tool-name" title=${tool.name}>${tool.tool ?? tool.name}</span>
      ${tool.plugin ? html`<span class="vc-badge" title=${strings.toolOf(tool.plugin)}>${tool.plugin}</span>` : nothing}
      <code class="vc-tool-brief">${ask ? "" : brief(tool.arguments)}</code>
      <span class="vc-tool-state">
        ${label[state]}${duration === null ? nothing : html`<span class="vc-tool-time" title=${strings.toolTook(duration)}>${duration}</span>`}
      </span>
      ${tool.progress && tool.result === null ? progress(tool.progress) : nothing}
    </summary>
    <div class="vc-tool-body">
      ${seen
        ? result(tool, context)
        : html`<h4>${strings.toolArguments}</h4>
            ${called(ask?.approval?.arguments ?? tool.arguments)} ${ask ? context.asked(ask) : nothing}
            ${tool.result === null ? nothing : html`<h4>${strings.toolResult}</h4>${result(tool, context)}`}`}
      ${seen && !NONE.test(tool.arguments) ? fold(strings.toolArguments, called(tool.arguments)) : nothing}
    </div>
  </details>`;
}

/** Arguments that say nothing. */
const NONE = /^\s*(?:\{\s*\})?\s*$/;

/** What stands for a picture in a result's text: its name, in brackets. */
const PICTURED = /^\[([^\n\]]*)\]$/;

function called(text: string): TemplateResult {
  return html`<pre tabindex="0" aria-label=${strings.toolArguments}>${spelled(text)}</pre>`;
}

function fold(name: string, body: unknown): TemplateResult {
  return html`<details class="vc-fold vc-tool-fold">
    <summary>${name}</summary>
    ${body}
  </details>`;
}

/** Whether a card is open by itself: a function of the notebook gave a table or a picture. */
function toSee({ plugin, is_error: failed, table, files }: ToolShown): boolean {
  return plugin === undefined && !failed && (table !== undefined || (files ?? []).some((file) => file.url !== null && DRAWN.test(file.url)));
}

/** What came back; where that is a table or a picture, the words by which models know it are folded. */
function result(tool: ToolShown, context: ToolContext): TemplateResult {
  const text = tool.result ?? "";
  const pictured = tool.files && PICTURED.exec(text)?.[1];
  const drawn = tool.files ? files(tool.files, pictured) : nothing;
  if (tool.table === undefined && !pictured) return html`${told(tool, text, context)}${drawn}`;
  return html`${tool.table ? tableView(tool.table) : nothing}${drawn}${fold(results.told, told(tool, text, context))}`;
}

/** The text of a result, as models get it, and the way to all of it. */
function told(tool: ToolShown, text: string, { whole, more }: ToolContext): TemplateResult {
  const left = whole?.left ?? 0;
  const shown = whole === undefined ? (text === "" ? [] : [indented(text)]) : whole.pieces;
  return html`${shown.length === 0
      ? nothing
      : html`<div class="vc-tool-result" tabindex="0" role="group" aria-label=${strings.toolResult}>
          ${shown.length === 1 && left === 0
            ? html`<pre>${indented(shown[0] ?? "")}</pre>`
            : shown.map((piece) => html`<pre class="vc-tool-piece">${piece}</pre>`)}
        </div>`}
    ${whole !== undefined && whole.length === 0 ? html`<p class="vc-tool-gone">${strings.toolWholeGone}</p>` : nothing}
    ${tool.whole && (whole === undefined || left > 0)
      ? html`<button type="button" class="vc-button-text vc-tool-more" @click=${more}>
          ${icon("down")}${whole === undefined ? strings.toolShowAll : strings.toolShowMore(formatCount(left))}
        </button>`
      : nothing}`;
}

function progress({ done, total, message }: ProgressShown): TemplateResult {
  const known = total !== null && total > 0;
  const part = known ? Math.max(0, Math.min(1, done / total)) : 0;
  return html`<div class="vc-tool-progress">
    <div
      class="vc-bar ${known ? "" : "vc-bar-endless"}"
      role="progressbar"
      aria-label=${strings.toolProgress}
      aria-valuemin=${known ? "0" : nothing}
      aria-valuemax=${known ? "100" : nothing}
      aria-valuenow=${known ? String(Math.round(part * 100)) : nothing}
      aria-valuetext=${message || nothing}
    >
      <i style="width: ${known ? (part * 100).toFixed(1) : "100"}%"></i>
    </div>
    <span class="vc-tool-far">${known ? `${Math.round(part * 100)} %` : formatCount(Math.round(done))}</span>
    ${message ? html`<span class="vc-tool-message">${message}</span>` : nothing}
  </div>`;
}

/** Addresses that draw or sound without asking anybody. */
const DRAWN = /^data:image\/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/]+=*$/;
const HEARD = /^data:audio\/[a-z0-9.+-]+;base64,[A-Za-z0-9+/]+=*$/;

/** Files of a result; `name` is theirs where they have none. */
function files(all: readonly ToolFileShown[], name = ""): TemplateResult {
  return html`<ul class="vc-tool-files" aria-label=${strings.toolFiles}>
    ${all.map((file) => html`<li>${oneFile({ ...file, name: file.name || name })}</li>`)}
  </ul>`;
}

/** A file to look at or to hear, or else its name, size and place. */
export function oneFile(file: ToolFileShown): TemplateResult {
  const name = file.name || (file.media_type.startsWith("image/") ? strings.unnamedImage : strings.unnamedFile);
  const title = `${name}, ${formatBytes(file.size)}`;
  if (file.url !== null && DRAWN.test(file.url)) {
    return html`<img class="vc-tool-image" src=${file.url} alt=${name} title=${title} />`;
  }
  return html`<div class="vc-file">
      <span class="vc-file-face">${icon(file.media_type.startsWith("image/") ? "image" : "file")}</span>
      <span class="vc-file-text">
        <span class="vc-file-name" title=${name}>${name}</span>
        <span class="vc-file-size">${formatBytes(file.size)}</span>
      </span>
    </div>
    ${file.url !== null && HEARD.test(file.url) ? html`<audio controls preload="none" src=${file.url} aria-label=${title}></audio>` : nothing}
    ${file.path === "" ? nothing : html`<code class="vc-tool-path">${strings.toolFileAt(file.path)}</code>`}`;
}
