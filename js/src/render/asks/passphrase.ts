/** The key file's passphrase: typed unseen, sent once, and gone from the fields before it is on its way. */
import { html, nothing, type TemplateResult } from "lit-html";

import { grants } from "../../grants";
import { icon } from "../../icons";
import type { PassphraseShown } from "../../protocol";
import type { CardContext } from "./cards";

export function passphrase(id: string, asked: PassphraseShown, { answer, calm }: CardContext): TemplateResult {
  const given = (event: Event) => {
    event.preventDefault();
    const node = event.currentTarget as HTMLFormElement;
    const [first, again] = node.querySelectorAll("input");
    const text = first?.value ?? "";
    if (text === "" || calm) {
      first?.focus();
      return;
    }
    if (again && again.value !== text) {
      again.setCustomValidity(grants.passphraseDiffers);
      again.reportValidity();
      return;
    }
    node.reset();
    answer("accept", text);
  };
  return html`<h3 class="vc-ask-title">${icon("key")}<span>${grants.passphraseAsk}</span></h3>
    <p class="vc-ask-text">${asked.new ? grants.passphraseNew : grants.passphraseNote}</p>
    <form class="vc-ask-paste" novalidate autocomplete="off" @submit=${given}>
      ${field(`vc-pass-${id}`, grants.passphrase)} ${asked.new ? field(`vc-pass-again-${id}`, grants.passphraseAgain) : nothing}
      <div class="vc-ask-actions">
        <button type="submit" class="vc-button" ?disabled=${calm}>${asked.new ? grants.passphraseChoose : grants.passphraseGive}</button>
        <button type="button" class="vc-button-quiet" ?disabled=${calm} @click=${() => answer("decline")}>${grants.passphraseDecline}</button>
      </div>
    </form>`;
}

function field(id: string, label: string): TemplateResult {
  const typed = (event: Event) => (event.currentTarget as HTMLInputElement).setCustomValidity("");
  return html`<label class="vc-ask-label" for=${id}>${label}</label>
    <input class="vc-input" id=${id} type="password" autocomplete="off" spellcheck="false" data-1p-ignore="true" data-lpignore="true" @input=${typed} />`;
}
