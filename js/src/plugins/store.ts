/** What the plugin manager knows: the kernel's messages, and what this view has open and half done. */
import type { PanelModel } from "../notebook";
import type { AskAnswer, AskEnded, Asked, AskShown } from "../protocol";
import type {
  Called,
  Catalogue,
  Configuration,
  Done,
  ErrorShown,
  Foreign,
  FromWidget,
  LogShown,
  PluginShown,
  Settings,
  ToWidget,
  ToolShown,
} from "./protocol";

/** Most lines of a log that are kept; older ones fall out. */
const LOG_LINES = 400;

/** A tool being tried. */
export interface Trial {
  call: string | null;
  progress: string;
  result: Called | null;
}

/** A request under way or its outcome; `place` is where it is shown. */
export interface Outcome {
  busy: boolean;
  text: string;
  error: ErrorShown | null;
}

export type Way = "catalogue" | "form" | "json" | "import";

export class Store {
  connected = false;
  host: "" | "lost" | "gone" = "";
  file = "";
  problems: readonly ErrorShown[] = [];
  order: string[] = [];
  readonly plugins = new Map<string, PluginShown>();
  /** When each plugin was told of last, for what counts on by itself. */
  readonly heard = new Map<string, number>();
  readonly tools = new Map<string, ToolShown[]>();
  readonly schemas = new Map<string, string>();
  readonly configurations = new Map<string, Configuration>();
  readonly logs = new Map<string, LogShown[]>();
  readonly trials = new Map<string, Trial>();
  readonly outcomes = new Map<string, Outcome>();
  readonly questions = new Map<string, AskShown>();
  catalogue: Catalogue | null = null;
  foreign: Foreign | null = null;
  settings: Settings | null = null;

  adding: Way | null = null;
  settling = false;
  /** What is confirmed in place now, by plugin. */
  readonly removing = new Set<string>();
  readonly trying = new Set<string>();

  /** News for a screen reader. */
  announce = "";

  private readonly places = new Map<string, string>();
  private readonly calls = new Map<string, string>();
  private count = 0;
  private readonly prefix = Math.random().toString(36).slice(2, 8);

  constructor(
    private readonly model: PanelModel,
    readonly changed: () => void,
  ) {}

  send(message: FromWidget | AskAnswer): void {
    this.model.send(message);
  }

  /** Sends what the kernel answers with `done`; meanwhile and after that its outcome stands at `place`. */
  ask<M extends FromWidget & { request: string }>(place: string, message: Omit<M, "request">): void {
    const request = this.fresh();
    this.places.set(request, place);
    this.outcomes.set(place, { busy: true, text: "", error: null });
    this.send({ ...message, request } as unknown as FromWidget);
    this.changed();
  }

  call(id: string, tool: string, args: string): void {
    const key = toolKey(id, tool);
    const call = this.fresh();
    this.calls.set(call, key);
    this.trials.set(key, { call, progress: "", result: null });
    this.send({ type: "call", call, id, tool, arguments: args });
    this.changed();
  }

  busy(place: string): boolean {
    return this.outcomes.get(place)?.busy ?? false;
  }

  clear(place: string): void {
    this.outcomes.delete(place);
  }

  receive(message: ToWidget | Asked | AskEnded): void {
    this.connected = true;
    this.host = "";
    switch (message.type) {
      case "board":
        this.file = message.file;
        this.order = message.plugins.map((plugin) => plugin.id);
        this.plugins.clear();
        this.take(message.plugins, message.problems);
        break;
      case "changed":
        this.order = message.order;
        for (const id of [...this.plugins.keys()]) if (!message.order.includes(id)) this.plugins.delete(id);
        this.hear(message.plugins);
        this.take(message.plugins, message.problems);
        break;
      case "tools":
        this.tools.set(message.id, message.tools);
        break;
      case "schema":
        this.schemas.set(toolKey(message.id, message.tool), message.schema);
        break;
      case "configuration":
        this.configurations.set(message.id, message);
        break;
      case "log": {
        const before = message.whole ? [] : (this.logs.get(message.id) ?? []);
        this.logs.set(message.id, [...before, ...message.lines].slice(-LOG_LINES));
        break;
      }
      case "progressed": {
        const trial = this.trials.get(this.calls.get(message.call) ?? "");
        if (trial?.call === message.call) trial.progress = message.text;
        break;
      }
      case "called":
        this.settle(message);
        break;
      case "catalogue":
        this.catalogue = message;
        break;
      case "foreign":
        this.foreign = message;
        break;
      case "settings":
        this.settings = message;
        break;
      case "done":
        this.finish(message);
        break;
      case "asked":
        this.questions.set(message.ask.id, message.ask);
        break;
      case "ask_ended":
        this.questions.delete(message.ask);
        break;
    }
    this.changed();
  }

  /** Tells what a person would notice on the screen. */
  private hear(plugins: readonly PluginShown[]): void {
    const news = plugins.filter((plugin) => this.plugins.get(plugin.id)?.state !== plugin.state);
    const last = news.at(-1);
    if (last) this.announce = `${last.name}: ${last.state}`;
  }

  private take(plugins: readonly PluginShown[], problems: readonly ErrorShown[]): void {
    this.problems = problems;
    for (const plugin of plugins) {
      this.plugins.set(plugin.id, plugin);
      this.heard.set(plugin.id, Date.now());
    }
  }

  private settle(message: Called): void {
    const key = this.calls.get(message.call);
    this.calls.delete(message.call);
    const trial = key === undefined ? undefined : this.trials.get(key);
    if (key !== undefined && trial?.call === message.call) {
      this.trials.set(key, { call: null, progress: "", result: message });
      this.announce = message.error?.message ?? "";
    }
  }

  private finish(message: Done): void {
    const place = this.places.get(message.request);
    this.places.delete(message.request);
    if (place === undefined) return;
    this.outcomes.set(place, { busy: false, text: message.text, error: message.error });
    this.announce = message.error?.message ?? message.text;
    if (message.error === null && place.startsWith("add")) {
      this.adding = null;
      this.clear(place);
      this.outcomes.set("board", { busy: false, text: message.text, error: null });
    }
  }

  private fresh(): string {
    this.count += 1;
    return `${this.prefix}-${this.count}`;
  }
}

export function toolKey(id: string, tool: string): string {
  return `${id}\n${tool}`;
}
