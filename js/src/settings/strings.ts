/** The texts of the settings. */

/** A field's name and what it is for. */
export interface Words {
  readonly label: string;
  readonly help?: string;
  readonly placeholder?: string;
}

const dollars = "US dollars, such as 5.00";

export const strings = {
  settings: "Settings",
  close: "Close",
  sections: "Sections",
  loading: "Reading the settings",
  saved: "Saved",
  saving: "Saving",
  usual: (value: string) => `Left empty: ${value}`,
  lowered: (value: string) => `This project's .valechat.toml lowers it to ${value}.`,
  broken: "config.toml cannot be read. Mend it, then open this again.",
  remove: "Remove",
  add: "Add",
  gone: "The kernel is not there. Run the cell again, then repeat the change.",

  tabs: {
    chat: "This chat",
    models: "Models and keys",
    limits: "Limits",
    plugins: "Plugins",
    storage: "Sizes and storage",
    look: "Appearance",
  },

  chatNote: "These hold for this chat, from the next question on. Left empty, the model's own default counts.",
  limitsNote: "What a request may cost at most is reserved before it is sent, in all your kernels together. A change counts from the next request.",
  limitsModels: "For one model",
  limitsRates: "Of a provider in a minute",
  limitOf: (model: string, period: string) => `${model}, ${period}`,
  addModelLimit: "Limit a model",
  addRateLimit: "Limit a provider",
  model: "Model",
  provider: "Provider",
  amount: "US dollars a month",
  requests: "Requests a minute",
  pluginsNote: "Plugins give models tools. Which of them this chat uses is chosen by the plug in the header.",
  pluginsManage: "Open the plugin manager in a cell",
  storageNote: "Sizes such as 50 KB or 10 MB. What is over a size is refused with a message; nothing typed is lost.",
  fileNote: (file: string) => `Everything here is kept in ${file}, with your comments and order.`,

  keyNone: "no key",
  keyIn: (source: string) => `key: ${source}`,
  keyLocal: "on this machine",
  keyEnter: "Enter key",
  keyReplace: "Replace key",
  keyForget: "Forget key",
  keyForgetSure: "Forget it?",
  providerNew: "Add a server that speaks like OpenAI",
  providerName: "Name",
  providerNameHelp: "Small letters, digits, - and _: it stands before the slash in provider/model.",
  providerUrl: "Address",
  providerUrlHelp: "https, or http on this machine; usually ends in /v1.",
  providerFilter: "Find a provider",

  textSize: "Text size",
  textSizes: { small: "Small", usual: "As in the notebook", large: "Large" },
  height: "Height of the panel",
  heights: { usual: "Usual", tall: "Tall", page: "The whole window" },
  sendWith: "Send with",
  sendWiths: { enter: "Enter", modified: "Ctrl+Enter (⌘+Enter)" },
  notify: "Tell me when a long answer is complete and I am elsewhere",
  notifyDenied: "Your browser does not allow notifications for this page.",
  lookNote: "Kept in this browser, for all panels.",

  fields: {
    system: { label: "Instructions", help: "Stand before the conversation.", placeholder: "You are …" },
    temperature: { label: "Temperature", help: "0 to 2. Low repeats itself, high wanders.", placeholder: "0.7" },
    max_tokens: { label: "Longest answer", help: "Tokens of one request, reasoning included.", placeholder: "4000" },
    reasoning_effort: { label: "Reasoning", help: "How much the model reasons before it answers." },
    timeout: { label: "Patience", help: "Seconds without progress before a request is given up.", placeholder: "60" },
    seed: { label: "Seed", help: "For answers that repeat, where the provider takes one.", placeholder: "1" },
    fallback: { label: "Fallback", help: "Models to ask, in order, when the first fails before its first word.", placeholder: "anthropic/claude-sonnet-4-5" },
    default_model: { label: "Model of new chats", help: "Left empty, the best that can be used." },
    time_zone: { label: "Time zone", help: "When a day and a month begin, for limits and the dashboard.", placeholder: "Europe/Berlin" },
    "limits.daily": { label: "A day", help: dollars },
    "limits.monthly": { label: "A month", help: dollars },
    "limits.conversation.total": { label: "A conversation", help: dollars },
    "limits.confirm_above": { label: "Ask me above", help: "Before a single request that may cost more." },
    "sizes.message": { label: "A message" },
    "sizes.conversation": { label: "A conversation" },
    "sizes.tool_input": { label: "A tool's arguments" },
    "sizes.tool_output": { label: "What a model gets of a tool's answer", help: "You have all of it." },
    "sizes.upload": { label: "A file" },
    "variables.tokens": { label: "A variable in a question", help: "Tokens that its description may take." },
    "retention.conversations_days": { label: "Delete unused conversations after", help: "Days; empty keeps them. The bill always stays." },
    "retention.tool_results_days": { label: "Delete what tools answered after", help: "Days; empty keeps it." },
  } as Readonly<Record<string, Words>>,
  parts: {
    daily: "a day",
    monthly: "a month",
    requests_per_minute: "requests",
    tokens_per_minute: "tokens",
    cost_per_minute: "US dollars",
  } as Readonly<Record<string, string>>,
};
