/** The way to the settings, in the panel's header, and what this browser prefers, on the panel itself. */
import { icon } from "../icons";
import { SettingsDialog, type SettingsActions } from "./dialog";
import { onPreference, preferences } from "./preferences";
import { strings } from "./strings";
import type { SettingsTalk } from "./talk";

export class SettingsButton {
  readonly node = document.createElement("button");
  readonly dialog: HTMLElement;
  private readonly settings: SettingsDialog;
  private readonly unwatch: () => void;

  constructor(talk: SettingsTalk, root: HTMLElement, actions: SettingsActions) {
    this.settings = new SettingsDialog(talk, actions, () => this.node.focus({ preventScroll: true }));
    this.dialog = this.settings.node;
    this.node.type = "button";
    this.node.className = "vc-button-icon vc-settings-button";
    this.node.title = strings.settings;
    this.node.setAttribute("aria-label", strings.settings);
    this.node.setAttribute("aria-haspopup", "dialog");
    this.node.append(icon("sliders"));
    this.node.addEventListener("click", () => this.settings.open());
    const show = () => {
      root.dataset["text"] = preferences().textSize;
      root.dataset["height"] = preferences().height;
    };
    this.unwatch = onPreference(show);
    show();
  }

  dispose(): void {
    this.unwatch();
    this.settings.dispose();
  }
}
