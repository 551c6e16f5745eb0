/** A widget model as a host gives it: records what is sent, lets a test speak as the kernel. */
import type { PanelModel } from "../src/notebook";
import type { FromPanel, ToPanel } from "../src/protocol";

export class Host implements PanelModel {
  readonly sent: FromPanel[] = [];
  /** The buffers of each message, in the same order. */
  readonly buffers: ArrayBuffer[][] = [];
  private readonly listeners = new Map<string, Set<(...args: never[]) => void>>();

  constructor(
    readonly widget_manager: unknown = undefined,
    private readonly traits: Record<string, unknown> = {},
  ) {}

  get(name: string): unknown {
    return this.traits[name];
  }

  on(name: string, callback: (...args: never[]) => void): void {
    const set = this.listeners.get(name) ?? new Set();
    this.listeners.set(name, set.add(callback));
  }

  off(name: string | null, callback?: ((...args: never[]) => void) | null): void {
    if (name !== null && callback) this.listeners.get(name)?.delete(callback);
  }

  send(content: unknown, _callbacks?: unknown, buffers: ArrayBuffer[] = []): void {
    this.sent.push(content as FromPanel);
    this.buffers.push(buffers);
  }

  /** The kernel says something. */
  say(...messages: ToPanel[]): void {
    for (const message of messages) this.trigger("msg:custom", message);
  }

  trigger(name: string, ...args: unknown[]): void {
    for (const callback of this.listeners.get(name) ?? []) callback(...(args as never[]));
  }

  /** The kernel says something with binary buffers. */
  sayWith(message: ToPanel, buffers: DataView[]): void {
    this.trigger("msg:custom", message, buffers);
  }

  /** What was sent of one type. */
  sentOf<T extends FromPanel["type"]>(type: T): Extract<FromPanel, { type: T }>[] {
    return this.sent.filter((m): m is Extract<FromPanel, { type: T }> => m.type === type);
  }
}

/** A Lumino signal, as JupyterLab's objects carry them. */
export class Signal {
  private readonly slots = new Set<(sender: unknown, value: unknown) => void>();

  connect(slot: (sender: unknown, value: unknown) => void): void {
    this.slots.add(slot);
  }

  disconnect(slot: (sender: unknown, value: unknown) => void): void {
    this.slots.delete(slot);
  }

  emit(value: unknown): void {
    for (const slot of this.slots) slot(this, value);
  }

  get count(): number {
    return this.slots.size;
  }
}

/** Lets the panel draw. */
export function frame(): Promise<void> {
  return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())));
}
