/** All conversations in a dialog over the panel: find one, open it, rename, tag, copy, export, import, delete. */
import { html, nothing, render, type TemplateResult } from "lit-html";

import { icon } from "../icons";
import type { ConversationShown, ErrorShown } from "../protocol";
import { Rows } from "../render/list/rows";
import { acceptDrops, download, readExport } from "./files";
import { row, type FileFormat, type Mode, type RowActions } from "./row";
import { strings } from "./strings";
import type { ConversationTalk, Outcome } from "./talk";
import { grouped, keyOf, type Item } from "./words";

export interface DrawerContext {
  /** The conversation on show. */
  readonly current: () => string;
  /** The most bytes that reach the kernel at once. */
  readonly most: () => number;
  /** Another conversation was opened. */
  readonly opened: () => void;
  readonly closed: () => void;
}

const ROW_PX = 56;
const SNIPPET_PX = 20;
const TAGS_PX = 24;
const GROUP_PX = 30;
const PAGE_ROWS = 8;

let drawers = 0;

export class Drawer implements RowActions {
  readonly node = document.createElement("dialog");
  private readonly scroller = document.createElement("div");
  private readonly rows: Rows;
  private readonly file = document.createElement("input");
  private readonly known = `vc-tags-${++drawers}`;
  private items: readonly Item[] = [];
  private active = "";
  private mode: Mode = "";
  private turned = "";
  private said = "";
  private problem: ErrorShown | null = null;
  private unsubscribe: (() => void) | undefined;
  private focusFirst = false;
  /** Whether the focus is in the list. A row that is drawn at another place loses it, and gets it back. */
  private inside = false;

  constructor(
    private readonly talk: ConversationTalk,
    private readonly context: DrawerContext,
  ) {
    this.node.className = "vc-talks";
    this.node.setAttribute("aria-label", strings.conversations);
    this.scroller.className = "vc-talks-list";
    this.scroller.setAttribute("role", "list");
    this.scroller.setAttribute("aria-label", strings.conversations);
    this.rows = new Rows(this.scroller, { following: () => false, settled: () => this.settled() });
    this.scroller.append(this.rows.node);
    this.scroller.addEventListener("keydown", (event) => this.pressed(event));
    this.scroller.addEventListener("focusin", (event) => this.focused(event.target as HTMLElement));
    this.scroller.addEventListener("focusout", (event) => {
      const to = event.relatedTarget as Node | null;
      if (to !== null && !this.scroller.contains(to)) this.inside = false;
    });
    this.file.type = "file";
    this.file.accept = ".json,application/json";
    this.file.hidden = true;
    this.file.addEventListener("change", () => {
      const files = [...(this.file.files ?? [])];
      this.file.value = "";
      void this.take(files);
    });
    this.node.addEventListener("close", () => this.ended());
    this.node.addEventListener("cancel", (event) => {
      if (this.leaveMode()) event.preventDefault();
    });
    // Escape ends what is being done here; it does not stop an answer as it would in the panel.
    this.node.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      if (this.leaveMode()) event.preventDefault();
    });
    this.node.addEventListener("pointerdown", (event) => {
      if (event.target === this.node && event.button === 0 && this.beside(event)) this.node.close();
    });
    acceptDrops(this.node, "vc-talks-drop", (files) => void this.take(files));
  }

  /** Shows the list, over the panel that `beside` is in; the conversation on show is open for `mode`. */
  show(beside: HTMLElement, mode: Mode = ""): void {
    if (this.node.open) return;
    [this.said, this.problem, this.mode, this.inside] = ["", null, mode, false];
    this.active = this.turned = this.context.current();
    const told = this.talk.subscribe(() => this.draw());
    const resized = () => this.place(beside);
    window.addEventListener("resize", resized);
    this.unsubscribe = () => {
      told();
      window.removeEventListener("resize", resized);
    };
    this.talk.find("", "", false);
    this.place(beside);
    this.draw();
    // Hosts without modal dialogs show it in place.
    if (typeof this.node.showModal === "function") this.node.showModal();
    else this.node.setAttribute("open", "");
    this.node.querySelector("input")?.focus();
    this.draw();
  }

  dispose(): void {
    this.unsubscribe?.();
    this.rows.dispose();
    this.node.remove();
  }

  // What a row can do

  open(one: ConversationShown): void {
    void this.talk.open(one.id).then((outcome) => {
      if (outcome.error) return this.came(outcome);
      this.node.close();
      this.context.opened();
    });
  }

  turn(one: ConversationShown, mode: Mode): void {
    [this.active, this.turned, this.mode, this.said, this.problem] = [one.id, one.id, mode, "", null];
    this.focusFirst = mode !== "";
    this.draw();
    if (mode === "") this.focusRow();
  }

  rename(one: ConversationShown, title: string): void {
    if (this.mode !== "rename" || this.turned !== one.id) return;
    this.turn(one, "");
    if (title.trim() !== "" && title !== one.title) void this.talk.rename(one.id, title).then((outcome) => this.came(outcome));
  }

  retag(one: ConversationShown, tags: readonly string[]): void {
    void this.talk.retag(one.id, tags).then((outcome) => {
      this.came(outcome);
      this.talk.refresh();
    });
  }

  duplicate(one: ConversationShown): void {
    void this.talk.duplicate(one.id).then((outcome) => {
      const copy = outcome.conversations[0];
      if (copy) [this.active, this.turned, this.mode] = [copy.id, "", ""];
      this.came(outcome, copy && strings.duplicated(copy.title));
      this.focusRow();
    });
  }

  export(one: ConversationShown, format: FileFormat): void {
    void this.talk.export(one.id, format).then((file) => {
      if ("text" in file) download(file);
      this.came({ conversations: [], error: "text" in file ? null : file }, "text" in file ? strings.exported(file.name) : "");
    });
  }

  remove(one: ConversationShown): void {
    const ids = this.talk.list.map((other) => other.id);
    const at = ids.indexOf(one.id);
    void this.talk.remove(one.id).then((outcome) => {
      if (!outcome.error) [this.active, this.turned, this.mode] = [ids[at + 1] ?? ids[at - 1] ?? "", "", ""];
      this.came(outcome, strings.deleted);
      this.focusRow();
    });
  }

  // Files

  private async take(files: readonly File[]): Promise<void> {
    let count = 0;
    for (const file of files) {
      const outcome = await readExport(file, this.context.most(), (text) => this.talk.importText(text));
      if (outcome.error) return this.came(outcome);
      count += outcome.conversations.length;
      this.active = outcome.conversations[0]?.id ?? this.active;
    }
    if (count > 0) this.came({ conversations: [], error: null }, strings.imported(count));
    this.focusRow();
  }

  // Moving about

  private pressed(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    if (event.isComposing || target.closest("input, .vc-talk-strip")) return;
    const list = this.talk.list;
    const at = list.findIndex((one) => one.id === this.active);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + PAGE_ROWS, PageUp: at - PAGE_ROWS, Home: 0, End: list.length - 1 }[event.key];
    const one = list[at];
    if (to !== undefined) {
      event.preventDefault();
      if (to < 0 && at === 0) return this.node.querySelector("input")?.focus();
      this.active = list[Math.max(0, Math.min(list.length - 1, to))]?.id ?? "";
      this.draw();
      this.focusRow();
    } else if (one && (event.key === "F2" || event.key === "Delete")) {
      event.preventDefault();
      this.turn(one, event.key === "F2" ? "rename" : "delete");
    }
  }

  private focused(target: HTMLElement): void {
    this.inside = true;
    const id = target.closest<HTMLElement>("[data-talk]")?.dataset["talk"];
    if (id === undefined || id === this.active) return;
    this.active = id;
    this.draw();
  }

  private focusRow(): void {
    if (!this.node.open) return;
    const rows = [...this.scroller.querySelectorAll<HTMLElement>("[data-talk]")];
    const row = rows.find((one) => one.dataset["talk"] === this.active)?.querySelector<HTMLElement>(".vc-talk-open");
    (row ?? this.node.querySelector("input"))?.focus();
    row?.scrollIntoView?.({ block: "nearest" });
  }

  /** Ends what a row is open for. False where none is. */
  private leaveMode(): boolean {
    if (this.mode === "") return false;
    this.mode = "";
    this.draw();
    this.focusRow();
    return true;
  }

  private settled(): void {
    const active = (this.node.getRootNode() as Document | ShadowRoot).activeElement;
    if (this.inside && (active === null || active === document.body || active === this.node)) {
      const field = this.mode === "" ? null : this.scroller.querySelector<HTMLElement>(".vc-talk-rename, [data-first]");
      if (field) field.focus();
      else this.focusRow();
    }
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    if (this.node.open && scrollHeight - scrollTop - clientHeight <= 4 * clientHeight) this.talk.further();
  }

  // Drawing

  private came(outcome: Outcome, said = ""): void {
    this.problem = outcome.error;
    this.said = outcome.error ? "" : said;
    this.draw();
  }

  private ended(): void {
    this.unsubscribe?.();
    this.unsubscribe = undefined;
    this.node.classList.remove("vc-talks-drop");
    this.context.closed();
  }

  private draw(): void {
    if (!this.unsubscribe) return;
    const { talk } = this;
    const now = new Date();
    if (!talk.list.some((one) => one.id === this.active)) this.active = talk.list[0]?.id ?? "";
    this.items = grouped(talk.list, now);
    render(this.frame(), this.node);
    this.rows.update({
      keys: this.items.map(keyOf),
      before: 0,
      pinned: this.items.flatMap((item, at) => ("one" in item && (item.one.id === this.active || item.one.id === this.turned) ? [at] : [])),
      guess: (at) => this.guess(at),
      draw: (at) => this.item(at, now),
    });
    if (!this.focusFirst) return;
    const first = this.scroller.querySelector<HTMLElement>(".vc-talk-rename, [data-first]");
    if (!first) return;
    this.focusFirst = false;
    first.focus();
    if (first.matches(".vc-talk-rename")) (first as HTMLInputElement).select();
    first.scrollIntoView?.({ block: "nearest" });
  }

  private guess(at: number): number {
    const item = this.items[at];
    if (!item || "group" in item) return GROUP_PX;
    return ROW_PX + (item.one.snippet ? SNIPPET_PX : 0) + (item.one.tags.length > 0 ? TAGS_PX : 0);
  }

  private item(at: number, now: Date): TemplateResult | typeof nothing {
    const item = this.items[at];
    if (!item) return nothing;
    if ("group" in item) return html`<div class="vc-talk-group" role="listitem"><h3>${item.group}</h3></div>`;
    const { one } = item;
    const mode = one.id === this.turned ? this.mode : "";
    const active = one.id === this.active;
    const current = one.id === this.context.current();
    return row(one, { mode, active, current, search: this.talk.search, now, known: this.known }, this);
  }

  private frame(): TemplateResult {
    const { talk } = this;
    return html`<div class="vc-talks-head">
        ${icon("search")}
        <input
          type="search"
          aria-label=${strings.search}
          placeholder=${strings.search}
          autocomplete="off"
          spellcheck="false"
          .value=${talk.search}
          @input=${(event: Event) => this.find((event.target as HTMLInputElement).value, talk.tag)}
          @keydown=${(event: KeyboardEvent) => this.searching(event)}
        />
        <button type="button" class="vc-button-icon" aria-label=${strings.close} title=${strings.close} @click=${() => this.node.close()}>
          ${icon("close")}
        </button>
      </div>
      ${talk.tags.length > 0 ? this.filter() : nothing}
      <datalist id=${this.known}>${talk.tags.map((tag) => html`<option value=${tag.name}></option>`)}</datalist>
      ${talk.list.length === 0
        ? html`<p class="vc-talks-none" role="status">${talk.loading ? strings.loading : talk.search || talk.tag ? strings.nothing : strings.none}</p>`
        : nothing}
      ${this.scroller}
      <div class="vc-talks-foot">
        ${this.problem
          ? html`<p class="vc-talks-problem" role="alert">${icon("alert")}<span>${this.problem.message} ${this.problem.fix}</span></p>`
          : html`<p class="vc-talks-said" role="status">${this.said}</p>`}
        <button type="button" class="vc-talk-verb" title=${strings.importTitle} @click=${() => this.file.click()}>${strings.import}</button>
        ${this.file}
      </div>
      <div class="vc-talks-mark" aria-hidden="true">${strings.drop}</div>`;
  }

  private filter(): TemplateResult {
    const { talk } = this;
    return html`<div class="vc-talks-tags" role="group" aria-label=${strings.tags}>
      ${talk.tags.map(
        ({ name, count }) => html`<button
          type="button"
          class="vc-tag"
          aria-pressed=${name === talk.tag}
          title=${strings.tagged(name, count)}
          @click=${() => this.find(talk.search, name === talk.tag ? "" : name)}
        >
          ${name}
        </button>`,
      )}
    </div>`;
  }

  private find(search: string, tag: string): void {
    [this.mode, this.turned] = ["", ""];
    this.scroller.scrollTop = 0;
    this.talk.find(search, tag);
  }

  private searching(event: KeyboardEvent): void {
    if (event.isComposing) return;
    const first = this.talk.list[0];
    if (event.key === "ArrowDown" && first) {
      event.preventDefault();
      this.active = first.id;
      this.draw();
      this.focusRow();
    } else if (event.key === "Enter" && first && !this.talk.loading && this.talk.search !== "") {
      event.preventDefault();
      this.open(first);
    } else if (event.key === "Escape" && this.talk.search !== "") {
      // The field's own Escape empties it; the next one closes the dialog.
      event.preventDefault();
      event.stopPropagation();
      this.find("", this.talk.tag);
    }
  }

  private beside(event: PointerEvent): boolean {
    const box = this.node.getBoundingClientRect();
    const { clientX: x, clientY: y } = event;
    return x < box.left || x > box.right || y < box.top || y > box.bottom;
  }

  /** At the panel's upper right corner, as far as the window has room. */
  private place(panel: HTMLElement): void {
    const box = panel.getBoundingClientRect();
    const width = Math.min(440, window.innerWidth - 16);
    const height = Math.min(620, window.innerHeight - 16);
    const left = Math.max(8, Math.min(box.right - width - 6, window.innerWidth - width - 8));
    const top = Math.max(8, Math.min(box.top + 6, window.innerHeight - height - 8));
    Object.assign(this.node.style, { width: `${width}px`, height: `${height}px`, left: `${left}px`, top: `${top}px` });
  }
}
