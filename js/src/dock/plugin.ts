/** The JupyterLab plugin that puts the chat into the right side bar, and the ways to it: palette, menu, launcher. */
import { Dock } from "./dock";
import type { App, Launcher, MainMenu, Module, Palette, Panel, Restorer, Tracker } from "./lab";
import { offerRuns } from "./runs";
import { strings } from "./strings";
import css from "../styles/dock.css?inline";

const COMMAND = "valechat:dock";
const NEW_NOTEBOOK = "notebook:create-new";

/** After the other panels of the View menu, the last of which is the debugger's at 5. */
const MENU_RANK = 6;

/** JupyterLab's own words for the launcher's last group, and a place behind its terminal. */
const LAUNCHER_CATEGORY = "Other";
const LAUNCHER_RANK = 2;

/** Brings a module that JupyterLab shares; null where it shares none of that name. */
export type Shared = (name: string) => Promise<Module | null>;

const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 16 16"><path class="jp-icon3" fill="#616161" fill-rule="evenodd" d="M2.5 2.5h11a1 1 0 0 1 1 1v7.25a1 1 0 0 1-1 1H8.25l-3.5 3v-3H2.5a1 1 0 0 1-1-1V3.5a1 1 0 0 1 1-1zM4.5 5.1v1.2h7V5.1zM4.5 7.9v1.2h4.75V7.9z"/></svg>';

/** What the plugin uses where it is there: another front end may have no launcher, no menu or no palette. */
interface Optional {
  palette?: Palette | null;
  restorer?: Restorer | null;
  launcher?: Launcher | null;
  menu?: MainMenu | null;
}

/** Where the command stands, which is told by its arguments. */
interface Place {
  readonly place?: "launcher" | "menu";
}

/** The module and the token of each of them. */
const OPTIONAL: readonly (readonly [keyof Optional, string, string])[] = [
  ["palette", "@jupyterlab/apputils", "ICommandPalette"],
  ["restorer", "@jupyterlab/application", "ILayoutRestorer"],
  ["launcher", "@jupyterlab/launcher", "ILauncher"],
  ["menu", "@jupyterlab/mainmenu", "IMainMenu"],
];

/** The plugin, made of JupyterLab's own classes and tokens. */
export async function plugin(shared: Shared): Promise<object> {
  const names = ["@lumino/widgets", "@jupyterlab/notebook", "@jupyterlab/ui-components"];
  const [widgets, notebook, ui] = await Promise.all(names.map(shared));
  const tokens = await Promise.all(OPTIONAL.map(async ([, module, token]) => (await shared(module))?.[token]));
  const known = OPTIONAL.map(([name], place) => [name, tokens[place]] as const).filter(([, token]) => token !== undefined);
  return {
    id: COMMAND,
    description: "The ValeChat panel beside the notebook.",
    autoStart: true,
    requires: [notebook?.["INotebookTracker"]],
    optional: known.map(([, token]) => token),
    activate: (app: App, tracker: Tracker, ...given: unknown[]) =>
      activate(app, tracker, Object.fromEntries(known.map(([name], place) => [name, given[place]])), widgets ?? {}, ui),
  };
}

function activate(app: App, tracker: Tracker, optional: Optional, widgets: Module, ui: Module | null | undefined): void {
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
  // Asked for when it is clicked: commands of plugins that start later are there by then.
  const dock = new Dock(panel, tracker, () => {
    if (app.commands.hasCommand(NEW_NOTEBOOK)) void app.commands.execute(NEW_NOTEBOOK);
  });
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
    label: ({ place }: Place = {}) => (place ? strings.title : strings.open),
    caption: strings.open,
    icon: ({ place }: Place = {}) => (place === "launcher" ? panel.title.icon : undefined),
    execute: () => app.shell.activateById(panel.id),
  });
  offerRuns(app, tracker);
  optional.palette?.addItem({ command: COMMAND, category: strings.category });
  optional.menu?.viewMenu.addItem({ command: COMMAND, args: { place: "menu" }, rank: MENU_RANK });
  optional.launcher?.add({ command: COMMAND, args: { place: "launcher" }, category: LAUNCHER_CATEGORY, rank: LAUNCHER_RANK });
  app.shell.add(panel, "right", { rank: 300 });
  optional.restorer?.add(panel, panel.id);
}
