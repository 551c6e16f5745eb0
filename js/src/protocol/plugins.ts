/** Plugins in the panel: which a chat uses, their prompts as slash commands, their resources as attachments. */
import type { AttachmentShown, ErrorShown } from "./shown";

/**
 * A plugin in the panel's menu. `used`: this chat's questions offer its tools. `tools` counts those that are offered,
 * `tokens` is roughly what they cost in each request. `problem` says what is wrong and what to do.
 */
export interface PluginShown {
  id: string;
  name: string;
  state: "stopped" | "starting" | "initialising" | "running" | "error" | "stopping";
  used: boolean;
  tools: number;
  tokens: number;
  problem: string;
  prompts: boolean;
  resources: boolean;
}

/** A value that a prompt or a resource's address takes. */
export interface PromptArgumentShown {
  name: string;
  title: string;
  description: string;
  required: boolean;
}

/** A prompt that a plugin has ready. */
export interface PromptShown {
  plugin: string;
  name: string;
  title: string;
  description: string;
  arguments: PromptArgumentShown[];
}

/** Something that can be attached. With `variables`, `uri` is a template that takes them. */
export interface ResourceShown {
  plugin: string;
  uri: string;
  name: string;
  title: string;
  description: string;
  media_type: string;
  size: number | null;
  variables: PromptArgumentShown[];
}

/** Offer this plugin's tools in this chat, or not. One that does not run yet is started. */
export interface UsePlugin {
  type: "use_plugin";
  plugin: string;
  on: boolean;
}

/** What do the plugins that run have ready? Answered by `offers`. */
export interface ListOffers {
  type: "list_offers";
  what: "prompts" | "resources";
}

/** Bring a prompt's text. `arguments` is a JSON object of texts. Answered by `fetched` of that `number`. */
export interface UsePrompt {
  type: "use_prompt";
  number: number;
  plugin: string;
  name: string;
  arguments: string;
}

/** Attach a resource to the question. `variables` is a JSON object of texts, for a template. */
export interface AttachResource {
  type: "attach_resource";
  number: number;
  plugin: string;
  uri: string;
  name: string;
  variables?: string;
}

/** How may this value go on? `ref` is the prompt's name or the template; `filled` a JSON object of the others. */
export interface Complete {
  type: "complete";
  number: number;
  plugin: string;
  kind: "prompt" | "template";
  ref: string;
  argument: string;
  value: string;
  filled: string;
}

/** All plugins as they stand. `problem` is what is wrong with their file, empty when nothing is. */
export interface Plugins {
  type: "plugins";
  seq: number;
  plugins: PluginShown[];
  problem: string;
}

/** What the plugins that run have ready. `problems` names those that did not say. */
export interface Offers {
  type: "offers";
  seq: number;
  what: "prompts" | "resources";
  prompts: PromptShown[];
  resources: ResourceShown[];
  problems: string[];
}

/** A prompt's text for the composer, or a resource as an attachment the kernel keeps; or why not. */
export interface Fetched {
  type: "fetched";
  seq: number;
  number: number;
  text: string;
  attachments: AttachmentShown[];
  error: ErrorShown | null;
}

/** How the value may go on; empty when nobody knows. */
export interface Completed {
  type: "completed";
  seq: number;
  number: number;
  values: string[];
}
