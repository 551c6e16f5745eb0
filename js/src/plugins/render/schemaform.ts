/**
 * A form drawn from a JSON Schema. What it has no field for is typed as JSON; what stays empty is left
 * out. The fields hold their own values, so that drawing again keeps what is half typed.
 */
import { html, nothing, type TemplateResult } from "lit-html";

import { words } from "../strings";

type Json = Record<string, unknown>;

export type Kind = "text" | "integer" | "number" | "boolean" | "choice" | "choices" | "json";

export interface FieldOf {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly kind: Kind;
  readonly required: boolean;
  readonly initial: unknown;
  readonly choices: readonly { value: unknown; title: string }[];
  readonly long: boolean;
  readonly secret: boolean;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function choicesOf(schema: Json): { value: unknown; title: string }[] {
  const listed = schema["enum"];
  if (Array.isArray(listed) && listed.length > 0 && listed.every((one) => one === null || typeof one !== "object")) {
    const names = Array.isArray(schema["enumNames"]) ? schema["enumNames"] : [];
    return listed.map((value, at) => ({ value, title: String(names[at] ?? value) }));
  }
  for (const word of ["oneOf", "anyOf"]) {
    const titled = schema[word];
    if (Array.isArray(titled) && titled.length > 0 && titled.every((one) => isObject(one) && "const" in one)) {
      return titled.map((one: Json) => ({ value: one["const"], title: String(one["title"] ?? one["const"]) }));
    }
  }
  return [];
}

/** The alternative that is not null, of a schema that allows null beside one other. */
function present(schema: Json): Json {
  for (const word of ["anyOf", "oneOf"]) {
    const listed = schema[word];
    if (!Array.isArray(listed)) continue;
    const others = listed.filter((one) => isObject(one) && one["type"] !== "null") as Json[];
    if (others.length === 1 && others.length < listed.length) return { ...schema, ...others[0], [word]: undefined };
  }
  return schema;
}

function kindOf(schema: Json): { kind: Kind; choices: { value: unknown; title: string }[] } {
  const choices = choicesOf(schema);
  if (choices.length > 0) return { kind: "choice", choices };
  const listed = schema["type"];
  const types = Array.isArray(listed) ? listed.filter((one) => one !== "null") : [listed];
  const type = types.length === 1 ? types[0] : undefined;
  if (type === "array" && isObject(schema["items"])) {
    const several = choicesOf(schema["items"]);
    if (several.length > 0) return { kind: "choices", choices: several };
  }
  if (type === "string") return { kind: "text", choices };
  if (type === "integer" || type === "number" || type === "boolean") return { kind: type, choices };
  return { kind: "json", choices };
}

/** The fields of an object's schema, in its order. */
export function fieldsOf(schema: unknown): FieldOf[] {
  const properties = isObject(schema) && isObject(schema["properties"]) ? schema["properties"] : {};
  const required = isObject(schema) && Array.isArray(schema["required"]) ? schema["required"] : [];
  return Object.entries(properties).map(([name, found]) => {
    const one = present(isObject(found) ? found : {});
    const most = typeof one["maxLength"] === "number" ? one["maxLength"] : Infinity;
    return {
      name,
      title: typeof one["title"] === "string" && one["title"] !== "" ? one["title"] : name,
      about: typeof one["description"] === "string" ? one["description"] : "",
      ...kindOf(one),
      required: required.includes(name),
      initial: one["default"],
      long: most > 200 && /content|text|body|code|query|message|prompt/i.test(name),
      secret: one["writeOnly"] === true || one["format"] === "password",
    };
  });
}

/** What a field's text means. Throws with what is wrong. */
export function valueOf(field: FieldOf, text: string): unknown {
  const trimmed = text.trim();
  if (field.kind === "choice") return text === "" ? undefined : field.choices[Number(text)]?.value;
  if (field.kind === "text") return text === "" ? undefined : text;
  if (trimmed === "") return undefined;
  if (field.kind === "boolean") return trimmed === "true";
  if (field.kind === "json") {
    try {
      return JSON.parse(trimmed) as unknown;
    } catch (error) {
      throw new Error(words.noJson(error instanceof Error ? error.message : String(error)), { cause: error });
    }
  }
  const number = Number(trimmed);
  if (!Number.isFinite(number)) throw new Error(words.noNumber);
  if (field.kind === "integer" && !Number.isInteger(number)) throw new Error(words.noWhole);
  return number;
}

/** The values of a drawn form; null, with the first wrong field focused, where one is wrong. */
export function valuesOf(form: HTMLElement, fields: readonly FieldOf[]): Json | null {
  const values: Json = {};
  let wrong: HTMLElement | null = null;
  for (const field of fields) {
    const box = boxOf(form, field);
    if (!box) continue;
    let problem = "";
    try {
      const value = read(box, field);
      if (value !== undefined) values[field.name] = value;
      else if (field.required) problem = words.needed;
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
    }
    const said = box.querySelector(".vcp-wrong");
    if (said) said.textContent = problem;
    const control = box.querySelector<HTMLElement>("input, select, textarea");
    control?.setAttribute("aria-invalid", String(problem !== ""));
    if (problem && !wrong) wrong = control;
  }
  wrong?.focus();
  return wrong ? null : values;
}

function boxOf(form: HTMLElement, field: FieldOf): HTMLElement | undefined {
  return [...form.querySelectorAll<HTMLElement>("[data-field]")].find((box) => box.dataset["field"] === field.name);
}

function read(box: HTMLElement, field: FieldOf): unknown {
  if (field.kind === "choices") {
    const boxes = [...box.querySelectorAll<HTMLInputElement>("input:checked")];
    return boxes.length === 0 && !field.required ? undefined : boxes.map((one) => field.choices[Number(one.value)]?.value);
  }
  const control = box.querySelector<HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement>("input, select, textarea");
  return valueOf(field, control?.value ?? "");
}

/** Puts values into a drawn form, for a change from JSON back to fields. */
export function fill(form: HTMLElement, fields: readonly FieldOf[], values: Json): void {
  for (const field of fields) {
    const value = values[field.name];
    const box = boxOf(form, field);
    const control = box?.querySelector<HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement>("input, select, textarea");
    if (!control || field.kind === "choices") continue;
    control.value = value === undefined ? "" : initialText({ ...field, initial: value });
  }
}

function initialText(field: FieldOf): string {
  const { initial } = field;
  if (initial === undefined || initial === null) return "";
  if (field.kind === "choice") {
    const at = field.choices.findIndex((one) => one.value === initial);
    return at < 0 ? "" : String(at);
  }
  return field.kind === "json" || typeof initial === "object" ? JSON.stringify(initial) : String(initial);
}

/** Draws the fields. `prefix` makes their ids unique on the page. */
export function schemaForm(prefix: string, fields: readonly FieldOf[]): TemplateResult {
  return html`<div class="vcp-fields">${fields.map((field) => drawn(`${prefix}-${field.name}`, field))}</div>`;
}

function drawn(id: string, field: FieldOf): TemplateResult {
  const note = field.required ? nothing : html`<span class="vcp-optional">${words.optional}</span>`;
  if (field.kind === "choices") {
    return html`<fieldset class="vcp-field" data-field=${field.name}>
      <legend class="vcp-label">${field.title} ${note}</legend>
      ${about(id, field)}
      ${field.choices.map(
        (choice, at) => html`<label class="vcp-check"><input type="checkbox" value=${at} ?checked=${Array.isArray(field.initial) && field.initial.includes(choice.value)} />${choice.title}</label>`,
      )}
      <span class="vcp-wrong" role="alert"></span>
    </fieldset>`;
  }
  return html`<div class="vcp-field" data-field=${field.name}>
    <label class="vcp-label" for=${id}>${field.title} ${note}</label>
    ${control(id, field)} ${about(id, field)}
    <span class="vcp-wrong" role="alert"></span>
  </div>`;
}

function about(id: string, field: FieldOf): TemplateResult | typeof nothing {
  return field.about ? html`<span class="vcp-hint" id=${`${id}-about`}>${field.about}</span>` : nothing;
}

function control(id: string, field: FieldOf): TemplateResult {
  const described = field.about ? `${id}-about` : nothing;
  const text = initialText(field);
  if (field.kind === "choice" || field.kind === "boolean") {
    const options =
      field.kind === "choice"
        ? field.choices.map((choice, at) => ({ value: String(at), title: choice.title }))
        : [
            { value: "true", title: words.yes },
            { value: "false", title: words.no },
          ];
    return html`<select id=${id} aria-describedby=${described}>
      ${field.required && text !== "" ? nothing : html`<option value="">${words.unset}</option>`}
      ${options.map((one) => html`<option value=${one.value} ?selected=${one.value === text}>${one.title}</option>`)}
    </select>`;
  }
  if (field.kind === "json" || field.long) {
    return html`<textarea
      id=${id}
      class=${field.kind === "json" ? "vcp-code" : ""}
      rows="3"
      spellcheck="false"
      aria-describedby=${described}
      .defaultValue=${text}
      placeholder=${field.kind === "json" ? "JSON" : ""}
    ></textarea>`;
  }
  const numeric = field.kind !== "text";
  return html`<input
    id=${id}
    type=${field.secret ? "password" : "text"}
    inputmode=${numeric ? "decimal" : nothing}
    autocomplete="off"
    spellcheck="false"
    aria-describedby=${described}
    .defaultValue=${text}
  />`;
}
