/** The parts of JupyterLab's objects that the side panel uses. It is compiled against no version of them. */

export interface Signal<T> {
  connect(slot: (sender: unknown, value: T) => void): unknown;
  disconnect(slot: (sender: unknown, value: T) => void): unknown;
}

export interface Widget {
  id: string;
  readonly node: HTMLElement;
  readonly title: { label: string; caption: string; icon?: unknown; iconClass?: string };
  readonly isVisible: boolean;
  readonly isDisposed: boolean;
  addClass(name: string): void;
  readonly parent: Widget | null;
  fit(): void;
  dispose(): void;
  show(): void;
  hide(): void;
  readonly disposed: Signal<unknown>;
}

export interface Panel extends Widget {
  addWidget(widget: Widget): void;
}

export interface KernelReply {
  readonly content: { readonly user_expressions?: Record<string, Evaluated> };
}

/** What a kernel says of one expression. */
export interface Evaluated {
  readonly status: string;
  readonly data?: Record<string, unknown>;
  readonly ename?: string;
  readonly evalue?: string;
}

export interface Kernel {
  readonly id: string;
  readonly status: string;
  readonly info: Promise<{ readonly language_info?: { readonly name?: string } }>;
  requestExecute(content: object): { readonly done: Promise<KernelReply> };
}

export interface SessionContext {
  readonly isReady: boolean;
  readonly session: { readonly kernel: Kernel | null } | null;
  readonly statusChanged: Signal<string>;
  readonly kernelChanged: Signal<unknown>;
}

export interface Notebook extends Widget {
  readonly sessionContext: SessionContext;
  readonly content: {
    readonly activeCellIndex: number;
    readonly rendermime: {
      readonly mimeTypes: readonly string[];
      createRenderer(mimeType: string): Widget & { renderModel(model: unknown): Promise<void> };
      createModel(options: object): unknown;
    };
  };
}

export interface Tracker {
  readonly currentWidget: Notebook | null;
  readonly currentChanged: Signal<Notebook | null>;
}

export interface App {
  readonly commands: {
    addCommand(id: string, options: object): unknown;
    execute(id: string): Promise<unknown>;
    hasCommand(id: string): boolean;
  };
  readonly shell: { add(widget: Widget, area: string, options?: object): void; activateById(id: string): void };
}

export interface Palette {
  addItem(item: object): void;
}

export interface Restorer {
  add(widget: Panel, name: string): void;
}

export interface Launcher {
  add(item: object): unknown;
}

export interface MainMenu {
  readonly viewMenu: { addItem(item: object): unknown };
}

/** What a module of JupyterLab gives. */
export type Module = Record<string, unknown>;
