/** Attachments: chips with a way to remove them in the composer, plain ones in a question. */
import { html, nothing, type TemplateResult } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";

import { problems, type Chip, type UploadLimits } from "../chips";
import { formatBytes } from "../format";
import { icon } from "../icons";
import type { AttachmentShown } from "../protocol";
import { strings } from "../strings";

/** The chips of the composer. */
export function chipRow(
  chips: readonly Chip[],
  limits: UploadLimits,
  remove: (key: string) => void,
): TemplateResult | typeof nothing {
  if (chips.length === 0) return nothing;
  const wrong = problems(chips, limits);
  return html`<ul class="vc-chips" aria-label=${strings.attached}>
    ${repeat(
      chips,
      (one) => one.key,
      (one, i) => composed(one, wrong[i] ?? "", remove),
    )}
  </ul>`;
}

function composed(one: Chip, problem: string, remove: (key: string) => void): TemplateResult {
  const waits = problem === "" && one.bytes === null && one.id === null;
  const label = strings.detach(one.name);
  return html`<li class=${problem === "" ? "vc-file" : "vc-file vc-file-wrong"}>
    ${face(one.preview, one.name)}
    <span class="vc-file-text">
      <span class="vc-file-name" title=${one.name}>${one.name}</span>
      ${problem === ""
        ? html`<span class="vc-file-size">${waits ? strings.reading : formatBytes(one.size)}</span>`
        : html`<span class="vc-file-problem" role="alert">${formatBytes(one.size)}. ${problem}</span>`}
    </span>
    <button type="button" class="vc-button-icon" aria-label=${label} title=${label} @click=${() => remove(one.key)}>
      ${icon("close")}
    </button>
  </li>`;
}

/** What was attached to a question. */
export function attachmentRow(shown: readonly AttachmentShown[]): TemplateResult | typeof nothing {
  if (shown.length === 0) return nothing;
  return html`<ul class="vc-chips vc-chips-sent" aria-label=${strings.attached}>
    ${shown.map((one) => {
      const image = one.media_type.startsWith("image/");
      const name = one.name || (image ? strings.unnamedImage : strings.unnamedFile);
      if (one.preview !== null) {
        return html`<li class="vc-picture"><img src=${one.preview} alt=${name} title="${name}, ${formatBytes(one.size)}" /></li>`;
      }
      return html`<li class="vc-file">
        <span class="vc-file-face">${icon(image ? "image" : "file")}</span>
        <span class="vc-file-text">
          <span class="vc-file-name" title=${name}>${name}</span>
          <span class="vc-file-size">${formatBytes(one.size)}</span>
        </span>
      </li>`;
    })}
  </ul>`;
}

function face(preview: string | null, name: string): TemplateResult {
  const drawn = /\.(png|jpe?g|gif|webp)$/i.test(name) ? "image" : "file";
  return html`<span class="vc-file-face">
    ${preview === null ? icon(drawn) : html`<img src=${preview} alt="" />`}
  </span>`;
}
