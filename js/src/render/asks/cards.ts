/**
 * Questions to the user as cards. All words in them are a model's or a server's: drawn as text, never as
 * markup. Buttons answer only a moment after their card appeared, so that a click or a key meant for
 * something else allows nothing.
 */
import { html, nothing, type TemplateResult } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";

import { exactCost, formatCost } from "../../format";
import { grants } from "../../grants";
import { icon } from "../../icons";
import type { AskAnswer, AskShown, ConfirmationShown } from "../../protocol";
import { strings } from "../../strings";
import { approval } from "./approval";
import { form } from "./form";
import { grant } from "./grant";
import { passphrase } from "./passphrase";
import { sampling } from "./sampling";
import { visit } from "./visit";

/** How long a new card's buttons take no click. */
export const CALM_MS = 400;

/** Answers one question. */
export type Answer = (choice: AskAnswer["choice"], text?: string) => void;

export interface CardContext {
  readonly answer: Answer;
  /** Too new to be answered. */
  readonly calm: boolean;
}

export class AskCards {
  private readonly since = new Map<string, number>();
  private readonly timers = new Map<string, ReturnType<typeof setTimeout>>();

  /**
   * @param send Sends an answer.
   * @param redraw Draws the panel again.
   */
  constructor(
    private readonly send: (ask: string, choice: AskAnswer["choice"], text?: string) => void,
    private readonly redraw: () => void,
  ) {}

  /** Takes what waits now. Gives the questions this view had not drawn before. */
  update(asks: readonly AskShown[]): AskShown[] {
    const fresh = asks.filter((one) => !this.since.has(one.id));
    for (const one of fresh) {
      this.since.set(one.id, performance.now());
      this.timers.set(one.id, setTimeout(this.redraw, CALM_MS + 10));
    }
    const waiting = new Set(asks.map((one) => one.id));
    for (const id of this.since.keys()) {
      if (waiting.has(id)) continue;
      this.since.delete(id);
      clearTimeout(this.timers.get(id));
      this.timers.delete(id);
    }
    return fresh;
  }

  dispose(): void {
    this.update([]);
  }

  /** Whether the question is too new to be answered. */
  calm(ask: AskShown): boolean {
    return performance.now() - (this.since.get(ask.id) ?? Number.NEGATIVE_INFINITY) < CALM_MS;
  }

  /** Questions that stand by themselves, below the conversation. */
  list(asks: readonly AskShown[]): TemplateResult | typeof nothing {
    if (asks.length === 0) return nothing;
    return html`<div class="vc-asks">
      ${repeat(
        asks,
        (one) => one.id,
        (one) => this.card(one, false),
      )}
    </div>`;
  }

  /** One question; `within` a tool call's card that shows the call already. */
  card(ask: AskShown, within: boolean): TemplateResult | typeof nothing {
    const context: CardContext = {
      calm: this.calm(ask),
      answer: (choice, text) => {
        if (!this.calm(ask)) this.send(ask.id, choice, text);
      },
    };
    const body = content(ask, context, within);
    if (body === nothing) return nothing;
    return html`<section
      class="vc-ask vc-ask-${ask.kind} ${within ? "vc-ask-within" : ""}"
      role="group"
      tabindex="-1"
      aria-label=${titleOf(ask)}
      data-ask=${ask.id}
    >
      ${body}
    </section>`;
  }
}

function content(ask: AskShown, context: CardContext, within: boolean): TemplateResult | typeof nothing {
  if (ask.approval) return approval(ask.approval, context, within);
  if (ask.sampling) return sampling(ask.sampling, context);
  if (ask.form) return form(ask.id, ask.form, context);
  if (ask.visit) return visit(ask.id, ask.visit, context);
  if (ask.confirmation) return confirmation(ask.confirmation, context);
  if (ask.grant) return grant(ask.grant, context);
  if (ask.passphrase) return passphrase(ask.id, ask.passphrase, context);
  // A newer kernel may ask what this panel does not know.
  return nothing;
}

/** What is asked, in one line. */
export function titleOf(ask: AskShown): string {
  if (ask.approval) return strings.toolAsk(ask.approval.plugin, ask.approval.tool);
  if (ask.sampling) return strings.samplingAsk(ask.sampling.plugin, ask.sampling.model);
  if (ask.form) return strings.formAsk(ask.form.plugin);
  if (ask.visit) return strings.visitAsk(ask.visit.plugin);
  if (ask.grant) return grants.ask(ask.grant.plugin);
  if (ask.passphrase) return grants.passphraseAsk;
  return strings.confirmAsk;
}

/** Who asks. */
export function askerOf(ask: AskShown): string {
  return ask.approval?.plugin ?? ask.sampling?.plugin ?? ask.form?.plugin ?? ask.visit?.plugin ?? ask.grant?.plugin ?? strings.askedYou;
}

function confirmation(asked: ConfirmationShown, { answer, calm }: CardContext): TemplateResult {
  const most = asked.most_cost === null ? null : formatCost(asked.most_cost);
  return html`<h3 class="vc-ask-title">${icon("info")}<span>${strings.confirmAsk}</span></h3>
    <p class="vc-ask-text">${asked.message}</p>
    <p class="vc-ask-figures">
      <span class="vc-figure-model" title=${asked.model}>${asked.model}</span>
      <span title=${asked.most_cost === null ? nothing : (exactCost(asked.most_cost) ?? nothing)}
        >${most === null ? strings.priceUnknown : strings.confirmCost(most)}</span
      >
    </p>
    <div class="vc-ask-actions">
      <button type="button" class="vc-button" ?disabled=${calm} @click=${() => answer("send")}>${strings.confirmSend}</button>
      <button type="button" class="vc-button-quiet" ?disabled=${calm} @click=${() => answer("no")}>
        ${strings.confirmRefuse}
      </button>
    </div>`;
}
