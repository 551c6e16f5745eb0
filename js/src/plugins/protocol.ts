/** The messages between the plugin manager in the browser and the kernel; `valechat/notebook/plugins/protocol.py` says more. */

export interface ErrorShown {
  kind: string;
  message: string;
  fix: string;
}

export interface ProblemShown {
  message: string;
  fix: string;
  attempt: number;
  most: number;
  retry_in: number | null;
  secret: string;
}

export interface UsesShown {
  calls: number;
  errors: number;
  median_ms: number | null;
  slow_ms: number | null;
  up_seconds: number | null;
  starts: number;
}

export interface SandboxShown {
  subject: string;
  level: string;
}

export interface NeedShown {
  permit: string;
  value: string;
  evidence: string;
}

export interface PermitShown {
  permit: string;
  value: string;
}

export interface PluginShown {
  id: string;
  name: string;
  description: string;
  transport: string;
  enabled: boolean;
  state: string;
  tools: number;
  offered: number;
  tokens: number;
  resources: number | null;
  prompts: number | null;
  problem: ProblemShown | null;
  protocol: string;
  server: string;
  pid: number | null;
  running_for: number | null;
  sandbox: SandboxShown[];
  needs: NeedShown[];
  permits: PermitShown[];
  signs_in: boolean;
  signed_in: boolean;
  uses: UsesShown | null;
}

export interface ToolShown {
  name: string;
  title: string;
  description: string;
  enabled: boolean;
  problem: string;
  read_only: boolean;
  tokens: number;
}

export interface LogShown {
  at: string;
  source: string;
  level: string;
  text: string;
}

export interface ContentShown {
  kind: string;
  text: string;
  data: string;
  media_type: string;
  uri: string;
  name: string;
  size: number;
}

export interface InputShown {
  name: string;
  title: string;
  several: boolean;
  description: string;
  secret: boolean;
  required: boolean;
  default: string;
}

export interface EntryShown {
  id: string;
  name: string;
  description: string;
  command: string;
  homepage: string;
  version: string;
  missing: string;
  deprecated: string;
  permissions: string[];
  inputs: InputShown[];
  added: boolean;
  update: string;
}

export interface ForeignServer {
  id: string;
  summary: string;
  taken: boolean;
}

export interface ForeignShown {
  program: string;
  path: string;
  servers: ForeignServer[];
  problems: string[];
}

export interface ApprovalShown {
  plugin: string;
  tool: string;
  decision: string;
}

export interface Hello {
  type: "hello";
}

export interface Act {
  type: "act";
  request: string;
  id: string;
  verb: "enable" | "disable" | "restart" | "remove" | "sign_in" | "sign_out";
}

export interface Unfold {
  type: "unfold";
  id: string;
  part: "tools" | "configuration" | "log";
  open: boolean;
}

export interface Switch {
  type: "switch";
  request: string;
  id: string;
  tool: string;
  on: boolean;
}

export interface AskSchema {
  type: "ask_schema";
  id: string;
  tool: string;
}

export interface Call {
  type: "call";
  call: string;
  id: string;
  tool: string;
  arguments: string;
}

export interface StopCall {
  type: "stop_call";
  call: string;
}

export interface Change {
  type: "change";
  request: string;
  id: string;
  fields: string;
}

export interface SetSecret {
  type: "set_secret";
  request: string;
  id: string;
  name: string;
  value: string;
}

export interface Grant {
  type: "grant";
  request: string;
  id: string;
  permit: string;
  value: string;
  allow: boolean;
}

export interface Revoke {
  type: "revoke";
  request: string;
  id: string;
  permit: string;
  value: string;
}

export interface AddJson {
  type: "add_json";
  request: string;
  text: string;
}

export interface AddForm {
  type: "add_form";
  request: string;
  id: string;
  name: string;
  command: string;
  url: string;
  transport: string;
  auth: string;
  variables: string;
}

export interface AddEntry {
  type: "add_entry";
  request: string;
  entry: string;
  id: string;
  inputs: string;
  limited: boolean;
}

export interface Look {
  type: "look";
  at: "catalogue" | "foreign" | "settings";
}

export interface Import {
  type: "import";
  request: string;
  path: string;
  ids: string[];
}

export interface Forget {
  type: "forget";
  request: string;
  plugin: string;
  tool: string;
}

export interface Reload {
  type: "reload";
  request: string;
}

export type FromWidget =
  | Hello
  | Act
  | Unfold
  | Switch
  | AskSchema
  | Call
  | StopCall
  | Change
  | SetSecret
  | Grant
  | Revoke
  | AddJson
  | AddForm
  | AddEntry
  | Look
  | Import
  | Forget
  | Reload;

export interface Board {
  type: "board";
  file: string;
  problems: ErrorShown[];
  plugins: PluginShown[];
}

export interface Changed {
  type: "changed";
  problems: ErrorShown[];
  order: string[];
  plugins: PluginShown[];
}

export interface Tools {
  type: "tools";
  id: string;
  tools: ToolShown[];
}

export interface Schema {
  type: "schema";
  id: string;
  tool: string;
  schema: string;
}

export interface Configuration {
  type: "configuration";
  id: string;
  text: string;
  timeout: number;
  call_timeout: number;
  permissions: string;
}

export interface Log {
  type: "log";
  id: string;
  whole: boolean;
  lines: LogShown[];
}

export interface Progressed {
  type: "progressed";
  call: string;
  text: string;
}

export interface Called {
  type: "called";
  call: string;
  content: ContentShown[];
  structured: string;
  is_error: boolean;
  duration_ms: number;
  error: ErrorShown | null;
}

export interface Catalogue {
  type: "catalogue";
  entries: EntryShown[];
  problems: string[];
}

export interface Foreign {
  type: "foreign";
  files: ForeignShown[];
}

export interface Settings {
  type: "settings";
  file: string;
  timeout: number;
  call_timeout: number;
  approvals: ApprovalShown[];
}

export interface Done {
  type: "done";
  request: string;
  text: string;
  error: ErrorShown | null;
}

export type ToWidget =
  | Board
  | Changed
  | Tools
  | Schema
  | Configuration
  | Log
  | Progressed
  | Called
  | Catalogue
  | Foreign
  | Settings
  | Done;
