/** What the kernel said is set, and changes on their way to it. */
import type { ErrorShown, FromPanel, Settings, ToPanel } from "../protocol";
import { strings } from "./strings";

/** What came of a change: null when it was made. */
export type Outcome = ErrorShown | null;

export class SettingsTalk {
  /** What is set, as last told; null before the kernel was asked. */
  shown: Settings | null = null;
  /** What was last said outside a change, about a key for example. */
  said: { readonly text: string; readonly error: ErrorShown | null } | null = null;
  private readonly listeners = new Set<() => void>();
  private readonly waiting = new Map<number, (outcome: Outcome) => void>();
  // Pages that share a kernel hear each other's answers.
  private number = Math.floor(Math.random() * 2 ** 40);

  constructor(private readonly send: (message: FromPanel) => boolean) {}

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Asks what is set now. */
  open(): void {
    this.said = null;
    this.send({ type: "open_settings" });
  }

  changeChat(name: string, value: string): Promise<Outcome> {
    return this.ask((number) => this.send({ type: "change_chat", number, name, value }));
  }

  /** Changes the user's settings, all of these or none. */
  change(changes: Readonly<Record<string, string>>): Promise<Outcome> {
    const [names, values] = [Object.keys(changes), Object.values(changes)];
    return this.ask((number) => this.send({ type: "change_settings", number, names, values }));
  }

  deleteKey(provider: string): Promise<Outcome> {
    return this.ask((number) => this.send({ type: "delete_key", number, provider }));
  }

  received(message: ToPanel): void {
    if (message.type === "settings") {
      this.shown = message;
    } else if (message.type === "setting_changed") {
      this.waiting.get(message.number)?.(message.error);
      this.waiting.delete(message.number);
    } else if (message.type === "notice" && this.listeners.size > 0) {
      this.said = { text: message.text, error: message.error };
      this.send({ type: "open_settings" });
    } else {
      return;
    }
    for (const listener of this.listeners) listener();
  }

  /** The kernel is gone: what was not answered never will be. */
  forget(): void {
    for (const resolve of this.waiting.values()) resolve({ kind: "Gone", message: strings.gone, fix: "" });
    this.waiting.clear();
  }

  private ask(send: (number: number) => boolean): Promise<Outcome> {
    const number = ++this.number;
    return new Promise((resolve) => {
      this.waiting.set(number, resolve);
      send(number);
    });
  }
}
