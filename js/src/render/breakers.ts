/** Providers that are left alone because they failed: why, and how long until one is tried again. */
import { html, nothing, type TemplateResult } from "lit-html";

import { icon } from "../icons";
import type { BreakerShown } from "../protocol";
import type { View } from "../store";
import { strings } from "../strings";

/** The breakers as they are now: what was said, and the seconds that are left of it. */
export function ageing(breakers: readonly BreakerShown[], saidAt: number, now: number): BreakerShown[] {
  const passed = (now - saidAt) / 1000;
  return breakers.map((one) => ({ ...one, seconds: Math.max(0, Math.ceil(one.seconds - passed)) }));
}

/** When it is tried again, in words. */
export function again(breaker: BreakerShown): string {
  return breaker.seconds > 0 ? strings.againIn(breaker.seconds) : strings.againNext;
}

/** A line for the model menu or the panel's foot. Its seconds change, so it is no live region. */
export function breakerLine(breaker: BreakerShown | undefined): TemplateResult | typeof nothing {
  if (breaker === undefined) return nothing;
  return html`<div class="vc-breaker">
    ${icon("alert")}
    <span>
      ${strings.leftAlone(breaker.provider)} <span class="vc-breaker-again">${again(breaker)}</span>
      <span class="vc-breaker-reason">${breaker.reason}</span>
    </span>
  </div>`;
}

/** What is wrong with the provider that would be asked now. */
export function breakerNow(view: View): TemplateResult | typeof nothing {
  const provider = view.models.find((m) => m.id === view.model)?.provider ?? view.model.split("/")[0];
  const breakers = ageing(view.breakers, view.breakersAt, performance.now());
  return breakerLine(breakers.find((one) => one.provider === provider));
}
