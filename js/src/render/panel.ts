/** The panel in one view: header, conversation, composer, drawn at most once a frame. */
import { html, nothing, render, type TemplateResult } from "lit-html";
import { guard } from "lit-html/directives/guard.js";
import { repeat } from "lit-html/directives/repeat.js";

import { Branching } from "../branches/branching";
import type { Chip } from "../chips";
import { Composing } from "../composing/composing";
import { ConversationsButton } from "../conversations/button";
import { Looking } from "../conversations/looking";
import { icon } from "../icons";
import { ComparePicker } from "../compare/picker";
import { above } from "../compare/store";
import { comparisonView } from "../compare/view";
import { cellInserter, notebookName, saveNotebook } from "../notebook";
import type { AskShown, MessageShown } from "../protocol";
import { RichView } from "../rich/rich";
import type { Session } from "../session";
import { looseAsks, running, type View } from "../store";
import { SettingsButton } from "../settings/button";
import { strings } from "../strings";
import { Announcer } from "./announce";
import { AskCards, askerOf, titleOf } from "./asks/cards";
import { Noticed } from "./asks/noticed";
import { banner } from "./banner";
import { drawnOrPlain } from "./boundary";
import { ageing, breakerNow } from "./breakers";
import { Composer } from "./composer";
import { DropZone } from "./drop";
import { emptyState } from "./empty";
import { noticeBox } from "./errors";
import { Finished } from "./finished";
import { total } from "./footer";
import { KeyForms } from "./keyform";
import { Reach } from "./list/reach";
import { Rows } from "./list/rows";
import { talk } from "./list/talk";
import { MessageViews } from "./message";
import { ModelMenu } from "./models";
import { PluginMenu } from "./offers/menu";
import { Follower } from "./scroll";

/** The class by which Jupyter marks a widget whose kernel is no longer there. */
const DISCONNECTED = "jupyter-widgets-disconnected";

/** What shows the plugin manager, as a cell. */
const MANAGER = "import valechat\n\nvalechat.plugin_manager()";

/** What lists all magics, as a cell. */
const HELP = "%valechat help";

const NO_REST: readonly string[] = [];
const NO_ASKS: readonly AskShown[] = [];

export class Panel {
  private readonly root = document.createElement("div");
  private readonly log = document.createElement("div");
  private readonly content = document.createElement("div");
  private readonly composer: Composer;
  private readonly menu: ModelMenu;
  private readonly forms: KeyForms;
  private readonly messages: MessageViews;
  private readonly branching: Branching;
  private readonly rich: RichView;
  private readonly asks: AskCards;
  private readonly noticed: Noticed;
  private readonly plugins: PluginMenu;
  private readonly settings: SettingsButton;
  private readonly compare: ComparePicker;
  private readonly conversations: ConversationsButton;
  private readonly looking: Looking;
  private readonly composing: Composing;
  private readonly announcer = new Announcer();
  private readonly follower: Follower;
  private readonly rows: Rows;
  private readonly reach: Reach;
  private readonly drops: DropZone;
  private readonly cleanups: (() => void)[] = [];
  private frame = 0;
  private clock: ReturnType<typeof setTimeout> | undefined;
  private keyFor = "";
  private drawn: View | null = null;
  private drawing = false;

  constructor(
    private readonly session: Session,
    private readonly el: HTMLElement,
    private readonly broken: (error: unknown) => void = (error) => {
      throw error;
    },
  ) {
    this.forms = new KeyForms((provider, key) => session.setKey(provider, key));
    this.asks = new AskCards(
      (ask, choice, text) => session.answer(ask, choice, text),
      () => this.schedule(),
    );
    this.noticed = new Noticed({ who: askerOf, where: notebookName(session.model) });
    const cells = cellInserter(session.model, el);
    const managePlugins = () => {
      if (!cells?.insert(MANAGER, "python")) session.notice(strings.pluginsManageHow);
    };
    this.plugins = new PluginMenu({ use: (plugin, on) => session.usePlugin(plugin, on), manage: managePlugins });
    const keys = { setKey: (provider: string, key: string) => session.setKey(provider, key), models: () => session.view.models };
    this.settings = new SettingsButton(session.settings, this.root, { ...keys, managePlugins });
    const opened = () => this.composer.focus();
    this.conversations = new ConversationsButton(session.conversations, { root: this.root, view: () => session.view, opened });
    this.looking = new Looking(this.root, () => session.look());
    this.rich = new RichView(session.assets, this.root);
    const tools = {
      asked: (ask: AskShown) => this.asks.card(ask, true),
      more: (message: string, call: string) => session.showTool(message, call),
    };
    this.branching = new Branching(session, (index) => this.rows.reveal(index), {
      redraw: () => this.schedule(),
      sent: () => this.follower.jump(),
      enterKey: (provider) => this.openKey(provider),
    });
    const { actions } = this.branching;
    this.messages = new MessageViews(cells, this.forms, (id) => session.showMore(id), tools, this.rich, actions);
    this.composer = new Composer({
      typed: (text) => session.setDraft(text),
      send: (text, chips) => this.ask(text, chips),
      attach: (files) => session.attach(files),
      detach: (key) => session.detach(key),
      stop: () => session.stop(),
    });
    this.compare = new ComparePicker(
      () => session.view.model,
      () => this.composer.focus(),
    );
    this.composer.offer(this.compare.button);
    this.compare.placed();
    const insert = (code: string) => cells && { run: () => void cells.insert(code, "python") };
    this.composing = new Composing(session, this.composer, {
      model: () => this.menu.open(),
      plugins: () => this.plugins.node.querySelector("button")?.click(),
      settings: () => this.settings.node.click(),
      export: () => this.conversations.openActions(),
      help: insert(HELP)?.run,
    });
    this.menu = new ModelMenu({
      select: (model) => {
        session.selectModel(model);
        this.composer.focus();
      },
      refresh: () => session.refreshModels(),
      enterKey: (provider) => this.openKey(provider),
    });
    this.drops = new DropZone(this.root, (files) => {
      if (session.view.ready && session.view.link !== "gone") session.attach(files);
      this.composer.focus();
    });
    this.prepareRoot();
    this.log.className = "vc-log";
    this.log.tabIndex = 0;
    this.log.setAttribute("role", "region");
    this.log.setAttribute("aria-label", strings.conversation);
    this.content.className = "vc-messages";
    this.log.append(this.content);
    this.follower = new Follower(this.log, () => this.schedule());
    this.rows = new Rows(this.log, { following: () => !this.follower.away, settled: () => this.settled() });
    this.reach = new Reach(this.log, {
      ask: (most) => session.showEarlier(most),
      following: () => !this.follower.away,
      follow: () => this.follower.jump(),
      leave: () => this.follower.leave(),
    });
    this.cleanups.push(session.subscribe(() => this.schedule()));
    const finished = new Finished(() => this.root.scrollIntoView?.({ block: "nearest" }));
    this.cleanups.push(session.subscribe(() => finished.update(session.view)));
    this.watchLiveness();
    this.draw();
    el.append(this.root);
    this.composer.resize();
  }

  dispose(): void {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.clock);
    for (const cleanup of this.cleanups.splice(0)) cleanup();
    this.follower.dispose();
    this.rows.dispose();
    for (const part of [this.rich, this.branching, this.menu, this.plugins, this.settings, this.compare, this.conversations, this.looking, this.asks, this.noticed, this.composing]) part.dispose();
    this.root.remove();
  }

  private prepareRoot(): void {
    this.root.setAttribute("role", "region");
    this.root.setAttribute("aria-label", strings.panel);
    // JupyterLab looks for shortcuts in the capture phase and stops at this mark; other hosts bubble.
    this.root.setAttribute("data-lm-suppress-shortcuts", "true");
    this.root.setAttribute("data-jp-suppress-context-menu", "true");
    this.root.addEventListener("keydown", (event) => this.pressed(event));
    for (const type of ["keydown", "keypress", "keyup"]) {
      this.root.addEventListener(type, (event) => event.stopPropagation());
    }
  }

  private pressed(event: KeyboardEvent): void {
    if (event.isComposing) return;
    if (event.key === "Escape" && running(this.session.view).length > 0) {
      event.preventDefault();
      this.session.stop();
    }
    // The mark above hides the shortcut for saving too, and the browser would offer to save the page.
    if (event.key.toLowerCase() === "s" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey) {
      if (saveNotebook(this.session.model)) event.preventDefault();
    }
  }

  private watchLiveness(): void {
    const look = () => {
      if (this.el.classList.contains(DISCONNECTED)) this.session.live(false);
    };
    const later = () => queueMicrotask(look);
    this.session.model.on("comm_live_update", later);
    this.cleanups.push(() => this.session.model.off("comm_live_update", later));
    look();
  }

  private schedule(): void {
    if (this.frame !== 0) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      try {
        this.draw();
      } catch (error) {
        this.broken(error);
      }
    });
  }

  private ask(text: string, chips: readonly Chip[] = []): void {
    const models = this.compare.chosen;
    const left = models.length > 0 ? this.session.compare(text, chips, models) : this.session.ask(text, chips);
    if (left) this.follower.jump();
  }

  private openKey(provider: string): void {
    this.keyFor = provider;
    this.draw();
    this.forms.at("menu", provider)?.focus();
  }

  private draw(): void {
    const view = this.session.view;
    const news = view.notice !== this.drawn?.notice;
    if (news) {
      this.forms.settle();
      if (view.notice?.error === null) this.keyFor = "";
    }
    // Until there is something to show, a transcript saved in the notebook stays visible beside it.
    const shows = view.ready || view.link === "waiting";
    this.root.className = `vc-root vc-panel${shows ? " vc-live" : " vc-absent"}`;
    const breakers = ageing(view.breakers, view.breakersAt, performance.now());
    this.menu.update(view.models, view.model, breakers);
    this.tick(breakers.some((one) => one.seconds > 0));
    this.composer.update(view);
    this.plugins.update(view.plugins, view.pluginsProblem);
    this.conversations.update(view);
    this.composing.update(view);
    this.compare.update(view.models);
    const asked = this.asks.update(view.asks);
    const answering = this.content.querySelector(".vc-ask:focus-within") !== null;
    this.drawing = true;
    render(this.list(view), this.content);
    render(this.frameOf(view), this.root);
    this.announcer.update(view);
    this.drawing = false;
    this.settled();
    this.branching.drawn(view, this.root);
    this.noticed.update(view.asks, view.asks.length > 0 ? [...this.content.querySelectorAll(".vc-ask")] : []);
    if (asked.length > 0) this.turnTo(asked, view);
    else if (answering && view.asks.length === 0) this.composer.focus();
    this.drawn = view;
  }

  private frameOf(view: View): TemplateResult {
    const link = banner(view);
    if (!view.ready && view.link === "gone") return html`${link}`;
    return html`${this.header(view)}
      <div class="vc-log-frame">
        ${this.log}
        ${this.follower.away
          ? html`<button type="button" class="vc-jump" @click=${() => this.follower.jump()}>
              ${icon("down")}${strings.jumpToLatest}
            </button>`
          : nothing}
      </div>
      <div class="vc-foot">${link}${breakerNow(view)}${this.notice(view)}${this.compare.node}${this.composer.node}</div>
      ${this.drops.node}${this.announcer.node}${this.settings.dialog}${this.conversations.dialog}`;
  }

  private header(view: View): TemplateResult {
    const label = strings.newConversation;
    return html`<div class="vc-header">
      ${this.menu.node}
      <div class="vc-header-right">
        ${total(view.totalCost, view.unpriced)} ${this.branching.pins.node} ${this.plugins.node} ${this.settings.node} ${this.conversations.node}
        <button
          type="button"
          class="vc-button-icon vc-new"
          aria-label=${label}
          title=${label}
          ?disabled=${!view.ready || view.link === "gone"}
          @click=${() => {
            this.session.newConversation();
            this.composer.focus();
          }}
        >
          ${icon("plus")}
        </button>
      </div>
    </div>`;
  }

  private list(view: View): TemplateResult {
    if (!view.ready) return html`<p class="vc-connecting" role="status">${strings.connecting}</p>`;
    const asks = this.asks.list(looseAsks(view));
    if (view.messages.length === 0 && view.pending.length === 0 && !view.comparison) {
      return html`${emptyState(view, (text) => this.ask(text))}${asks}`;
    }
    const single = view.comparison ? { ...view, messages: above(view.messages, view.comparison) } : view;
    this.rows.update(talk(single, (m) => this.message(m, view)));
    const compared = comparisonView(view, this.messages, (id) => {
      this.session.keepAnswer(id);
      this.compare.clear();
    });
    return html`${this.reach.update(view.earlier)}${this.rows.node}${compared}${repeat(
      view.pending,
      (p) => p.turn,
      (p) => this.messages.sending(p),
    )}${asks}`;
  }

  /** Rows came, went or grew: the bottom is somewhere else, and what belongs to rows long gone is let go. */
  private settled(): void {
    if (this.drawing) return; // Each look at heights makes the browser lay out the page: one a frame.
    this.follower.follow();
    this.reach?.look();
    this.branching.settled(this.root, this.rows.recent);
    const { pending, comparison } = this.session.view;
    const compared = comparison ? [comparison.question, ...comparison.answers].map((m) => m.id) : [];
    this.messages.keep(new Set([...this.rows.recent, ...pending.map((p) => p.turn), ...compared]));
  }

  private message(message: MessageShown, view: View): unknown {
    const acts = this.branching.actions.stateOf(message.id);
    if (message.role === "user") return guard([message, acts], () => drawnOrPlain(message, () => this.messages.question(message)));
    const live = message.status === "streaming" && view.link !== "gone";
    const again = this.session.branches.free ? () => this.branching.actions.again(message) : null;
    const rest = view.rests[message.id] ?? NO_REST;
    const asks = live ? view.asks : NO_ASKS;
    // A question that waits is drawn again as its time passes; nothing streams meanwhile.
    const waits = asks.length > 0 ? {} : null;
    return guard([message, live, acts, rest, waits, message.tools.length > 0 && view.results], () =>
      drawnOrPlain(message, () => this.messages.answer(message, { live, retry: again, rest, asks, results: view.results })),
    );
  }

  /**
   * Says what is asked, and goes there when the user waits in this panel: to the card, on which no key answers,
   * and never away from something half typed.
   */
  private turnTo(asked: readonly AskShown[], view: View): void {
    for (const ask of asked) this.announcer.tell(titleOf(ask));
    const root = this.root.getRootNode() as Document | ShadowRoot;
    const waits = this.root.contains(root.activeElement) && view.draft === "" && !root.activeElement?.closest(".vc-ask, .vc-menu");
    const ids = new Set(asked.map((ask) => ask.id));
    const card = [...this.content.querySelectorAll<HTMLElement>("[data-ask]")].find((one) => ids.has(one.dataset["ask"] ?? ""));
    if (waits) card?.focus({ preventScroll: true });
    if (waits) card?.scrollIntoView?.({ block: "nearest" });
  }

  /** Draws again in a second while seconds are shown. */
  private tick(counting: boolean): void {
    clearTimeout(this.clock);
    this.clock = counting ? setTimeout(() => this.schedule(), 1000) : undefined;
  }

  private notice(view: View): TemplateResult | typeof nothing {
    const { notice } = view;
    const key = this.keyFor === "" ? null : this.forms.at("menu", this.keyFor);
    if (notice === null && key === null) return nothing;
    const dismiss = () => {
      this.keyFor = "";
      this.session.dismissNotice();
      this.schedule();
    };
    return html`<div class="vc-notice">
      <div class="vc-notice-body">
        ${notice ? noticeBox(notice.text, notice.error, key ? null : this.forms.at("notice", notice.error?.provider)) : nothing}
        ${key?.node ?? nothing}
      </div>
      <button type="button" class="vc-button-icon" aria-label=${strings.dismiss} title=${strings.dismiss} @click=${dismiss}>
        ${icon("close")}
      </button>
    </div>`;
  }
}
