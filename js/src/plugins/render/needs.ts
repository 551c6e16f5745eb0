/** On a plugin's card: what it was refused, to be allowed with one click, and what it may do, to be taken back. */
import { html, nothing, type TemplateResult } from "lit-html";

import { grants } from "../../grants";
import { icon } from "../../icons";
import type { Grant, NeedShown, PermitShown, PluginShown, Revoke } from "../protocol";
import type { Store } from "../store";
import { words } from "../strings";
import { errorOf } from "./result";

const REASONS: Readonly<Record<string, string>> = { sandbox: grants.proven, call: grants.seen, server: grants.unproven };

export function needsOf(store: Store, plugin: PluginShown): TemplateResult | typeof nothing {
  if (plugin.needs.length === 0) return nothing;
  const place = `grant ${plugin.id}`;
  const outcome = store.outcomes.get(place);
  const answer = (need: NeedShown, allow: boolean) => () =>
    store.ask<Grant>(place, { type: "grant", id: plugin.id, permit: need.permit, value: need.value, allow });
  return html`<div class="vcp-needs" role="group" aria-label=${grants.ask(plugin.name)}>
    ${icon("shield")}
    <div class="vcp-needs-list">
      <p>${grants.ask(plugin.name)}. ${grants.lasts}</p>
      ${plugin.needs.map((need) => {
        const what = grants.what(need.permit, need.value);
        return html`<div class="vcp-need">
          <code class="vcp-need-what">${what}</code>
          <span class=${need.evidence === "server" ? "vcp-hint vcp-unproven" : "vcp-hint"}>${REASONS[need.evidence] ?? grants.unproven}</span>
          <div class="vcp-actions">
            <button type="button" class="vcp-button" aria-label="${grants.allow(need.permit, need.value)}: ${what}" ?disabled=${outcome?.busy ?? false} @click=${answer(need, true)}>
              ${grants.allow(need.permit, need.value)}
            </button>
            <button type="button" class="vc-button-text" aria-label="${grants.decline}: ${what}" ?disabled=${outcome?.busy ?? false} @click=${answer(need, false)}>
              ${grants.decline}
            </button>
          </div>
        </div>`;
      })}
      ${outcome?.error ? errorOf(outcome.error) : nothing}
    </div>
  </div>`;
}

export function permitsOf(store: Store, plugin: PluginShown): TemplateResult {
  const place = `grant ${plugin.id}`;
  const revoke = (permit: PermitShown) => () =>
    store.ask<Revoke>(place, { type: "revoke", id: plugin.id, permit: permit.permit, value: permit.value });
  return html`<ul class="vcp-permits">
    ${plugin.permits.map((permit) => {
      const what = grants.what(permit.permit, permit.value);
      return html`<li>
        <code>${what}</code>
        <button type="button" class="vc-button-text" aria-label=${words.named(grants.takeBack, what)} ?disabled=${store.busy(place)} @click=${revoke(permit)}>
          ${grants.takeBack}
        </button>
      </li>`;
    })}
  </ul>`;
}
