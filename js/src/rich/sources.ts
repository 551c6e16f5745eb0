/** What stands under an answer: the sources its model named, and what it drew or spoke. */
import { html, nothing, type TemplateResult } from "lit-html";

import { formatBytes } from "../format";
import { icon } from "../icons";
import type { CitationShown, ToolFileShown } from "../protocol";
import { safeAddress } from "../render/sanitize";
import { oneFile } from "../render/tool";
import { strings as panel } from "../strings";
import { strings } from "./strings";

/** More than these are folded. */
const MOST = 6;

/** The sources of an answer, numbered. Each tells its whole address, and what was quoted, where it is pointed at. */
export function sources(cited: readonly CitationShown[] | undefined): TemplateResult | typeof nothing {
  if (!cited || cited.length === 0) return nothing;
  const rest = cited.slice(MOST);
  return html`<section class="vc-sources" aria-label=${strings.sources}>
    <h4>${strings.sources}</h4>
    <ol>
      ${cited.slice(0, MOST).map(one)}
    </ol>
    ${rest.length === 0
      ? nothing
      : html`<details class="vc-fold">
          <summary>${strings.sourcesAll(cited.length)}</summary>
          <ol start=${MOST + 1}>
            ${rest.map(one)}
          </ol>
        </details>`}
  </section>`;
}

function one({ url, title, quote }: CitationShown): TemplateResult {
  const address = safeAddress(url);
  const name = title || (address ? new URL(address).host : url) || strings.sourceUnnamed;
  const host = address?.startsWith("http") ? new URL(address).host : "";
  const told = html`${address ? html`<span class="vc-source-address">${address}</span>` : nothing}
  ${quote ? html`<q class="vc-source-quote">${quote}</q>` : nothing}`;
  return html`<li>
    ${address
      ? html`<a href=${address} target="_blank" rel="noopener noreferrer" aria-label="${name}. ${panel.linkOpens(address)}">${name}</a>`
      : html`<span tabindex=${quote ? "0" : nothing}>${name}</span>`}
    ${host && host !== name ? html`<span class="vc-source-host">${host}</span>` : nothing}
    <span class="vc-source-told">${told}</span>
  </li>`;
}

/** Pictures and files of an answer, each to be saved. */
export function answerFiles(files: readonly ToolFileShown[] | undefined): TemplateResult | typeof nothing {
  if (!files || files.length === 0) return nothing;
  return html`<ul class="vc-answer-files" aria-label=${strings.answerFiles}>
    ${files.map((file) => html`<li>${oneFile(file)}${file.url === null ? nothing : download(file, file.url)}</li>`)}
  </ul>`;
}

function download(file: ToolFileShown, url: string): TemplateResult {
  const name = file.name || panel.unnamedImage;
  const save = () => {
    const link = document.createElement("a");
    link.href = url;
    link.download = name;
    link.click();
  };
  return html`<button type="button" class="vc-button-text" @click=${save}>
    ${icon("down")}${strings.download(name)} <span class="vc-file-size">${formatBytes(file.size)}</span>
  </button>`;
}
