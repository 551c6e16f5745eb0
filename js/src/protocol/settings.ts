/** Settings: what can be changed in the panel, and what came of a change. */
import type { ErrorShown } from "./shown";

/**
 * A setting as text; empty when it is not set. `name` is its path in `config.toml` (`limits.daily`), or a control of
 * the chat. `usual` is what holds without it. `now` is what counts instead of `value` where a project's file lowers it.
 */
export interface SettingShown {
  name: string;
  value: string;
  usual: string;
  now: string;
}

/** A provider. `source` is where its key was found, `stored` whether ValeChat keeps that key and can forget it. */
export interface ProviderSettingShown {
  name: string;
  kind: string;
  base_url: string;
  source: string;
  stored: boolean;
  local: boolean;
  built_in: boolean;
}

/** What is set now? */
export interface OpenSettings {
  type: "open_settings";
}

/** Set a control of this chat; an empty value leaves it to the model. */
export interface ChangeChat {
  type: "change_chat";
  number: number;
  name: string;
  value: string;
}

/** Change `config.toml`, all or nothing: each name and, at the same place, its value; empty removes it. */
export interface ChangeSettings {
  type: "change_settings";
  number: number;
  names: string[];
  values: string[];
}

/** Forget a provider's key that ValeChat keeps. */
export interface DeleteKey {
  type: "delete_key";
  number: number;
  provider: string;
}

/** All that is set. `problem` says why `file` cannot be read; then only the chat's controls are there. */
export interface Settings {
  type: "settings";
  seq: number;
  file: string;
  problem: string;
  warnings: string[];
  chat: SettingShown[];
  settings: SettingShown[];
  providers: ProviderSettingShown[];
}

/** The change `number` was made, or why it was not. The `settings` as they are then come before it. */
export interface SettingChanged {
  type: "setting_changed";
  seq: number;
  number: number;
  error: ErrorShown | null;
}
