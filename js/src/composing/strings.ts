/** What the panel says of what is attached to a question that is not sent yet. */
export const strings = {
  gone: "Not in the kernel any more. Attach it again.",
  unkept: "The page was reloaded before the kernel had it. Attach it again.",
} as const;
