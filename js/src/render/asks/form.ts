/** A plugin's form: a field for each value it asks for, what is wrong beside the field, three ways to answer. */
import { html, nothing, type TemplateResult } from "lit-html";

import { icon } from "../../icons";
import type { FieldShown, FormShown } from "../../protocol";
import { strings } from "../../strings";
import type { CardContext } from "./cards";

export function form(id: string, asked: FormShown, { answer, calm }: CardContext): TemplateResult {
  const submitted = (event: Event) => {
    event.preventDefault();
    const node = event.currentTarget as HTMLFormElement;
    answer("accept", JSON.stringify(entries(node, asked.fields)));
  };
  const wrong = asked.fields.filter((field) => field.problem !== undefined).length;
  return html`<h3 class="vc-ask-title">${icon("info")}<span>${strings.formAsk(asked.plugin)}</span></h3>
    ${asked.message ? html`<p class="vc-ask-text">${asked.message}</p>` : nothing}
    <p class="vc-ask-hint">${strings.formWarning}</p>
    <form class="vc-form" novalidate @submit=${submitted}>
      ${asked.fields.map((field, i) => row(`vc-field-${id}-${i}`, field))}
      ${wrong === 0 ? nothing : html`<p class="vc-form-problems" role="alert">${strings.formProblems(wrong)}</p>`}
      <div class="vc-ask-actions">
        <button type="submit" class="vc-button" ?disabled=${calm}>${strings.formAccept}</button>
        <button type="button" class="vc-button-quiet" ?disabled=${calm} @click=${() => answer("decline")}>
          ${strings.formDecline}
        </button>
        <button type="button" class="vc-button-text" ?disabled=${calm} @click=${() => answer("cancel")}>
          ${strings.formCancel}
        </button>
      </div>
    </form>`;
}

function row(id: string, field: FieldShown): TemplateResult {
  const about = [field.description ? `${id}-about` : "", field.problem ? `${id}-problem` : ""].filter(Boolean).join(" ");
  const described = about === "" ? nothing : about;
  const below = html`${field.description ? html`<span class="vc-form-about" id="${id}-about">${field.description}</span>` : nothing}
  ${field.problem ? html`<span class="vc-form-problem" id="${id}-problem">${field.problem}</span>` : nothing}`;
  const label = html`${field.title}${field.required || field.kind === "boolean"
    ? nothing
    : html` <span class="vc-form-optional">${strings.formOptional}</span>`}`;
  if (field.kind === "boolean") {
    return html`<div class="vc-form-row">
      <label class="vc-form-tick">
        <input type="checkbox" name=${field.name} ?checked=${field.default === "true"} aria-describedby=${described} />
        <span>${label}</span>
      </label>
      ${below}
    </div>`;
  }
  if (field.kind === "choices") return choices(id, field, label, below, described);
  return html`<div class="vc-form-row">
    <label for=${id}>${label}</label>
    ${field.kind === "choice" ? choice(id, field, described) : input(id, field, described)} ${below}
  </div>`;
}

type Described = string | typeof nothing;

function choice(id: string, field: FieldShown, described: Described): TemplateResult {
  const none = !field.required || field.default === null;
  return html`<select class="vc-input" id=${id} name=${field.name} aria-describedby=${described} aria-invalid=${invalid(field)}>
    ${none ? html`<option value="" ?selected=${field.default === null}>${strings.formNone}</option>` : nothing}
    ${field.options.map(
      (one) => html`<option value=${one.value} ?selected=${one.value === field.default}>${one.title}</option>`,
    )}
  </select>`;
}

function choices(
  id: string,
  field: FieldShown,
  label: TemplateResult,
  below: TemplateResult,
  described: Described,
): TemplateResult {
  const picked = listed(field.default);
  return html`<fieldset class="vc-form-row" id=${id} aria-describedby=${described}>
    <legend>${label}</legend>
    ${field.options.map(
      (one) => html`<label class="vc-form-tick">
        <input type="checkbox" name=${field.name} value=${one.value} ?checked=${picked.includes(one.value)} />
        <span>${one.title}</span>
      </label>`,
    )}
    ${below}
  </fieldset>`;
}

const INPUTS: Readonly<Record<string, string>> = { email: "email", uri: "url", date: "date", "date-time": "datetime-local" };

function input(id: string, field: FieldShown, described: Described): TemplateResult {
  const number = field.kind === "number" || field.kind === "integer";
  // A number's own field keeps what is no number to itself; this one lets it be told what is wrong.
  return html`<input
    class="vc-input"
    id=${id}
    name=${field.name}
    type=${INPUTS[field.kind] ?? "text"}
    inputmode=${number ? "decimal" : nothing}
    value=${initial(field)}
    aria-describedby=${described}
    aria-required=${field.required ? "true" : "false"}
    aria-invalid=${invalid(field)}
    autocomplete="off"
    spellcheck="false"
  />`;
}

function invalid(field: FieldShown): string {
  return field.problem === undefined ? "false" : "true";
}

/** A moment is drawn in the field's own form: local time without a zone. */
function initial(field: FieldShown): string {
  if (field.default === null || field.kind !== "date-time") return field.default ?? "";
  const when = new Date(field.default);
  if (Number.isNaN(when.getTime())) return "";
  const local = new Date(when.getTime() - when.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}

function listed(json: string | null): string[] {
  try {
    const found: unknown = JSON.parse(json ?? "[]");
    return Array.isArray(found) ? found.filter((one) => typeof one === "string") : [];
  } catch {
    return [];
  }
}

/** What stands in the fields. A local time gets the browser's own zone: the kernel's may be another. */
function entries(node: HTMLFormElement, fields: readonly FieldShown[]): Record<string, string | boolean | string[]> {
  const data = new FormData(node);
  const result: Record<string, string | boolean | string[]> = {};
  for (const field of fields) {
    const values = data.getAll(field.name).map(String);
    if (field.kind === "boolean") result[field.name] = values.length > 0;
    else if (field.kind === "choices") result[field.name] = values;
    else result[field.name] = field.kind === "date-time" ? zoned(values[0] ?? "") : (values[0] ?? "");
  }
  return result;
}

function zoned(local: string): string {
  const when = new Date(local);
  if (local === "" || Number.isNaN(when.getTime())) return local;
  const minutes = -when.getTimezoneOffset();
  const two = (count: number) => String(Math.floor(count)).padStart(2, "0");
  return `${local}${minutes < 0 ? "-" : "+"}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`;
}
