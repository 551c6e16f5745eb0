"""The messages between the panel in the browser and the kernel.

All are custom comm messages (`model.send`), never traits: nothing said in a conversation enters
widget state. `js/src/protocol.ts` and its neighbours state the same shapes; a test compares them. Money is
a decimal string in USD, None when unknown. Times are ISO 8601.

The kernel numbers all it sends with `seq`, one up each time. A panel that sees a gap sends `hello`
and gets the whole `state` again. Streamed text goes out as `deltas`, all turns of the panel in one
message, at most 30 times a second; a turn's end brings the authoritative message.
"""

from __future__ import annotations

from valechat.notebook.protocol.asks import (
    ApprovalShown,
    AskAnswer,
    Asked,
    AskEnded,
    AskShown,
    ConfirmationShown,
    FieldShown,
    FormShown,
    GrantShown,
    OptionShown,
    PassphraseShown,
    SamplingShown,
    VisitShown,
)
from valechat.notebook.protocol.branches import (
    DeleteTurn,
    PinMessage,
    Pinned,
    PinShown,
    Regenerate,
    ShowBranch,
)
from valechat.notebook.protocol.compare import (
    ColumnEnded,
    Compare,
    CompareEnded,
    CompareStarted,
    KeepAnswer,
)
from valechat.notebook.protocol.conversations import (
    ChangeConversation,
    ConversationDone,
    ConversationShown,
    ConversationsListed,
    DeleteConversation,
    DuplicateConversation,
    ExportConversation,
    Exported,
    ImportConversations,
    ListConversations,
    Look,
    OpenConversation,
    TagShown,
)
from valechat.notebook.protocol.money import (
    Estimate,
    Estimated,
    EstimateShown,
    LimitShown,
)
from valechat.notebook.protocol.paging import Earlier, ShowEarlier
from valechat.notebook.protocol.plugins import (
    AttachResource,
    Complete,
    Completed,
    Fetched,
    ListOffers,
    Offers,
    Plugins,
    PluginShown,
    PromptArgumentShown,
    PromptShown,
    ResourceShown,
    UsePlugin,
    UsePrompt,
)
from valechat.notebook.protocol.rich import Asset, CitationShown, NeedAsset
from valechat.notebook.protocol.settings import (
    ChangeChat,
    ChangeSettings,
    DeleteKey,
    OpenSettings,
    ProviderSettingShown,
    SettingChanged,
    Settings,
    SettingShown,
)
from valechat.notebook.protocol.shown import (
    AttachmentShown,
    BreakerShown,
    ColumnShown,
    ComparisonShown,
    ErrorShown,
    MessageShown,
    ModelShown,
    ProgressShown,
    TableShown,
    ToolFileShown,
    ToolShown,
)
from valechat.notebook.protocol.talk import (
    Attached,
    Breakers,
    Composed,
    Delta,
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
)
from valechat.notebook.protocol.variables import (
    AttachFile,
    FolderFileShown,
    ListVariables,
    ReadVariables,
    VariableAsked,
    VariableRead,
    VariableShown,
    VariablesListed,
    VariablesRead,
)

__all__ = [
    "ApprovalShown",
    "AskAnswer",
    "AskEnded",
    "AskShown",
    "Asked",
    "Asset",
    "AttachFile",
    "AttachResource",
    "Attached",
    "AttachmentShown",
    "BreakerShown",
    "Breakers",
    "ChangeChat",
    "ChangeConversation",
    "ChangeSettings",
    "CitationShown",
    "ColumnEnded",
    "ColumnShown",
    "Compare",
    "CompareEnded",
    "CompareStarted",
    "ComparisonShown",
    "Complete",
    "Completed",
    "Composed",
    "ConfirmationShown",
    "ConversationDone",
    "ConversationShown",
    "ConversationsListed",
    "DeleteConversation",
    "DeleteKey",
    "DeleteTurn",
    "Delta",
    "Deltas",
    "DuplicateConversation",
    "Earlier",
    "ErrorShown",
    "Estimate",
    "EstimateShown",
    "Estimated",
    "ExportConversation",
    "Exported",
    "Fetched",
    "FieldShown",
    "FolderFileShown",
    "FormShown",
    "FromPanel",
    "GrantShown",
    "Hello",
    "ImportConversations",
    "KeepAnswer",
    "KeepAttached",
    "LimitShown",
    "ListConversations",
    "ListOffers",
    "ListVariables",
    "Look",
    "MessageShown",
    "ModelShown",
    "Models",
    "More",
    "NeedAsset",
    "NewConversation",
    "Notice",
    "Offers",
    "OpenConversation",
    "OpenSettings",
    "OptionShown",
    "PassphraseShown",
    "PinMessage",
    "PinShown",
    "Pinned",
    "PluginShown",
    "Plugins",
    "ProgressShown",
    "PromptArgumentShown",
    "PromptShown",
    "ProviderSettingShown",
    "ReadVariables",
    "RefreshModels",
    "Refused",
    "Regenerate",
    "ResourceShown",
    "SamplingShown",
    "SavedTranscript",
    "SelectModel",
    "Send",
    "SetKey",
    "SettingChanged",
    "SettingShown",
    "Settings",
    "ShowBranch",
    "ShowEarlier",
    "ShowMore",
    "ShowTool",
    "State",
    "Stop",
    "TableShown",
    "TagShown",
    "ToPanel",
    "ToolFileShown",
    "ToolPiece",
    "ToolShown",
    "TurnEnded",
    "TurnStarted",
    "UsePlugin",
    "UsePrompt",
    "VariableAsked",
    "VariableRead",
    "VariableShown",
    "VariablesListed",
    "VariablesRead",
    "VisitShown",
]

FromPanel = (
    AskAnswer
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
    | PinMessage
)

ToPanel = (
    Asked
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
    | Pinned
)
