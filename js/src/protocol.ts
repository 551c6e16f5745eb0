/**
 * The messages between the panel in the browser and the kernel.
 *
 * The same shapes as `valechat/notebook/protocol`; `tests/notebook/test_protocol.py` compares the two field by
 * field, so these files keep to plain interfaces. Money is a decimal string in USD, null when unknown. Times are
 * ISO 8601.
 */
import type {
  AskAnswer,
  AskEnded,
  Asked,
} from "./protocol/asks";
import type {
  ChangeConversation,
  ConversationDone,
  ConversationsListed,
  DeleteConversation,
  DuplicateConversation,
  ExportConversation,
  Exported,
  ImportConversations,
  ListConversations,
  Look,
  OpenConversation,
} from "./protocol/conversations";
import type {
  DeleteTurn,
  Pinned,
  PinMessage,
  Regenerate,
  ShowBranch,
} from "./protocol/branches";
import type {
  Estimate,
  Estimated,
} from "./protocol/money";
import type {
  Earlier,
  ShowEarlier,
} from "./protocol/paging";
import type {
  AttachResource,
  Complete,
  Completed,
  Fetched,
  ListOffers,
  Offers,
  Plugins,
  UsePlugin,
  UsePrompt,
} from "./protocol/plugins";
import type {
  Asset,
  NeedAsset,
} from "./protocol/rich";
import type {
  ColumnEnded,
  Compare,
  CompareEnded,
  CompareStarted,
  KeepAnswer,
} from "./protocol/compare";
import type {
  ChangeChat,
  ChangeSettings,
  DeleteKey,
  OpenSettings,
  SettingChanged,
  Settings,
} from "./protocol/settings";
import type {
  Breakers,
  Composed,
  Deltas,
  Hello,
  KeepAttached,
  Models,
  More,
  NewConversation,
  Notice,
  RefreshModels,
  Refused,
  SavedTranscript,
  SelectModel,
  Send,
  SetKey,
  ShowMore,
  ShowTool,
  State,
  Stop,
  ToolPiece,
  TurnEnded,
  TurnStarted,
} from "./protocol/talk";
import type {
  AttachFile,
  ListVariables,
  ReadVariables,
  VariablesListed,
  VariablesRead,
} from "./protocol/variables";

export type * from "./protocol/asks";
export type * from "./protocol/compare";
export type * from "./protocol/branches";
export type * from "./protocol/conversations";
export type * from "./protocol/money";
export type * from "./protocol/paging";
export type * from "./protocol/plugins";
export type * from "./protocol/rich";
export type * from "./protocol/settings";
export type * from "./protocol/shown";
export type * from "./protocol/talk";
export type * from "./protocol/variables";

export type FromPanel =
  | AskAnswer
  | Estimate
  | UsePlugin
  | ListOffers
  | UsePrompt
  | AttachResource
  | Complete
  | Hello
  | Send
  | Stop
  | SelectModel
  | NewConversation
  | RefreshModels
  | SetKey
  | ShowEarlier
  | ShowMore
  | ShowTool
  | Compare
  | KeepAnswer
  | OpenSettings
  | ChangeChat
  | ChangeSettings
  | DeleteKey
  | NeedAsset
  | ListVariables
  | ReadVariables
  | AttachFile
  | KeepAttached
  | ListConversations
  | OpenConversation
  | ChangeConversation
  | DuplicateConversation
  | DeleteConversation
  | ExportConversation
  | ImportConversations
  | Look
  | Regenerate
  | ShowBranch
  | DeleteTurn
  | PinMessage;

export type ToPanel =
  | Asked
  | AskEnded
  | Estimated
  | Plugins
  | Offers
  | Fetched
  | Completed
  | State
  | TurnStarted
  | Deltas
  | TurnEnded
  | Refused
  | Models
  | Breakers
  | Notice
  | Composed
  | Earlier
  | More
  | ToolPiece
  | SavedTranscript
  | CompareStarted
  | ColumnEnded
  | CompareEnded
  | Settings
  | SettingChanged
  | Asset
  | VariablesListed
  | VariablesRead
  | ConversationsListed
  | ConversationDone
  | Exported
  | Pinned;
