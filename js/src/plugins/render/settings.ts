/** Settings: the file, what holds for all plugins, and what was allowed or forbidden for good. */
import { html, nothing, type TemplateResult } from "lit-html";

import type { Forget, Reload } from "../protocol";
import type { Store } from "../store";
import { words } from "../strings";
import { errorOf } from "./result";

export function settingsView(store: Store): TemplateResult {
  const found = store.settings;
  const outcome = store.outcomes.get("settings");
  return html`<section class="vcp-box vcp-settings" aria-label=${words.settingsTitle}>
    ${found === null
      ? html`<p class="vcp-muted">${words.loading}</p>`
      : html`<dl class="vcp-facts">
          <div>
            <dt>${words.file}</dt>
            <dd>
              <code class="vcp-path">${found.file}</code>
              <button type="button" class="vc-button-text" @click=${(event: Event) => void copy(event, found.file)}>${words.copyPath}</button>
              <button type="button" class="vc-button-text" ?disabled=${outcome?.busy ?? false} @click=${() => store.ask<Reload>("settings", { type: "reload" })}>
                ${words.reload}
              </button>
              ${outcome && !outcome.busy && outcome.text ? html`<span class="vcp-muted" role="status">${outcome.text}</span>` : nothing}
            </dd>
          </div>
          <div><dt>${words.defaults}</dt><dd>${words.defaultsText(found.timeout, found.call_timeout)}</dd></div>
          <div>
            <dt>${words.approvals}</dt>
            <dd>
              ${found.approvals.length === 0
                ? words.noApprovals
                : html`<ul class="vcp-approvals">
                    ${found.approvals.map(
                      (one) => html`<li>
                        <span><code>${one.plugin}</code> ${one.tool ? html`<code>${one.tool}</code>` : words.allTools}: ${one.decision === "allow" ? words.allow : words.deny}</span>
                        <button
                          type="button"
                          class="vc-button-text"
                          aria-label=${words.named(words.forget, `${one.plugin} ${one.tool || words.allTools}`)}
                          @click=${() => store.ask<Forget>("settings", { type: "forget", plugin: one.plugin, tool: one.tool })}
                        >
                          ${words.forget}
                        </button>
                      </li>`,
                    )}
                  </ul>`}
            </dd>
          </div>
        </dl>`}
    ${outcome?.error ? errorOf(outcome.error) : nothing}
  </section>`;
}

async function copy(event: Event, text: string): Promise<void> {
  const button = event.currentTarget as HTMLElement;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = words.copied;
  } catch {
    const code = button.parentElement?.querySelector("code");
    if (code) getSelection()?.selectAllChildren(code);
  }
}
