/** The JupyterLab plugin that puts the chat into the right side bar, with a command for it. */
import { Dock } from "./dock";
import type { App, Module, Panel, Tracker } from "./lab";
import { offerRuns } from "./runs";
import { strings } from "./strings";
import css from "../styles/dock.css?inline";

const COMMAND = "valechat:dock";

/** Brings a module that JupyterLab shares; null where it shares none of that name. */
export type Shared = (name: string) => Promise<Module | null>;

const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 16 16"><path class="jp-icon3" fill="none" stroke="#616161" stroke-width="1.4" stroke-linejoin="round" d="M2.25 3.25h11.5v7.5h-6l-3 2.75v-2.75h-2.5zM5 6h6M5 8.25h4"/></svg>';

interface Palette {
  addItem(item: object): void;
}

interface Restorer {
  add(widget: Panel, name: string): void;
}

/** The plugin, made of JupyterLab's own classes and tokens. */
export async function plugin(shared: Shared): Promise<object> {
  const names = ["@lumino/widgets", "@jupyterlab/notebook", "@jupyterlab/apputils", "@jupyterlab/application", "@jupyterlab/ui-components"];
  const [widgets, notebook, apputils, application, ui] = await Promise.all(names.map(shared));
  const optional = [apputils?.["ICommandPalette"], application?.["ILayoutRestorer"]].filter((token) => token !== undefined);
  return {
    id: COMMAND,
    description: "The ValeChat panel beside the notebook.",
    autoStart: true,
    requires: [notebook?.["INotebookTracker"]],
    optional,
    activate: (app: App, tracker: Tracker, palette: Palette | null, restorer: Restorer | null) =>
      activate(app, tracker, palette, restorer, widgets ?? {}, ui),
  };
}

function activate(app: App, tracker: Tracker, palette: Palette | null, restorer: Restorer | null, widgets: Module, ui: Module | null | undefined): void {
  const style = document.createElement("style");
  style.textContent = css;
  document.head.append(style);
  const Base = widgets["Panel"] as new () => Panel;
  let shown: () => void = () => undefined;
  class SidePanel extends Base {
    onAfterShow(): void {
      shown();
    }

    onAfterAttach(): void {
      shown();
    }
  }
  const panel = new SidePanel();
  const dock = new Dock(panel, tracker);
  // Visible only when the message has gone through all of it.
  shown = () =>
    queueMicrotask(() => {
      panel.parent?.parent?.fit();
      dock.follow();
    });
  const LabIcon = ui?.["LabIcon"] as (new (options: object) => unknown) | undefined;
  if (LabIcon) panel.title.icon = new LabIcon({ name: "valechat:chat", svgstr: ICON });
  else panel.title.label = strings.title;
  panel.title.caption = strings.title;
  panel.node.setAttribute("role", "region");
  panel.node.setAttribute("aria-label", strings.title);
  app.commands.addCommand(COMMAND, {
    label: strings.open,
    caption: strings.open,
    icon: panel.title.icon,
    execute: () => app.shell.activateById(panel.id),
  });
  offerRuns(app, tracker);
  palette?.addItem({ command: COMMAND, category: strings.category });
  app.shell.add(panel, "right", { rank: 300 });
  restorer?.add(panel, panel.id);
}
