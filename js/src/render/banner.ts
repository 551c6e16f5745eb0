/** The way to the kernel, where it is not as it should be. */
import { html, nothing, type TemplateResult } from "lit-html";

import { icon } from "../icons";
import type { View } from "../store";
import { strings } from "../strings";

export function banner(view: View): TemplateResult | typeof nothing {
  if (view.link === "live" || view.link === "waiting") return nothing;
  return html`<div class="vc-banner vc-banner-${view.link}" role="status">
    ${icon(view.link === "silent" ? "info" : "unplugged")}<span>${strings[view.link]}</span>
  </div>`;
}
