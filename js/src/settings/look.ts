/** Appearance: what this browser shows, and how. */
import { html, nothing, type TemplateResult } from "lit-html";

import { prefer, preferences, type Preferences } from "./preferences";
import { strings } from "./strings";

/** Whether the browser refused notifications when it was asked last. */
let denied = false;

export function look(redraw: () => void): TemplateResult {
  return html`${choice("textSize", strings.textSize, strings.textSizes)} ${choice("height", strings.height, strings.heights)}
    ${choice("sendWith", strings.sendWith, strings.sendWiths)}
    <label class="vc-setting-switch">
      <input type="checkbox" role="switch" .checked=${preferences().notify} @change=${(event: Event) => void notify(event, redraw)} />
      <span>${strings.notify}</span>
    </label>
    ${denied ? html`<p class="vc-setting-wrong" role="alert">${strings.notifyDenied}</p>` : nothing}
    <p class="vc-settings-note">${strings.lookNote}</p>`;
}

function choice<K extends "textSize" | "height" | "sendWith">(
  name: K,
  title: string,
  options: Readonly<Record<Preferences[K], string>>,
): TemplateResult {
  const chosen = preferences()[name];
  return html`<fieldset class="vc-choice">
    <legend>${title}</legend>
    <div class="vc-choice-row">
      ${(Object.entries(options) as [Preferences[K], string][]).map(
        ([value, label]) => html`<label
          ><input
            type="radio"
            name=${`vc-${name}`}
            .checked=${value === chosen}
            @change=${() => prefer({ [name]: value } as Partial<Preferences>)}
          /><span>${label}</span></label
        >`,
      )}
    </div>
  </fieldset>`;
}

async function notify(event: Event, redraw: () => void): Promise<void> {
  const box = event.target as HTMLInputElement;
  let on = box.checked;
  denied = false;
  if (on && (typeof Notification === "undefined" || (await Notification.requestPermission()) !== "granted")) {
    denied = true;
    on = box.checked = false;
  }
  prefer({ notify: on });
  redraw();
}
