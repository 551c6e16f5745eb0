/** What the list of messages says. */
export const earlier = (count: number): string =>
  count === 1 ? "Show 1 earlier message" : `Show ${count.toLocaleString("en-US")} earlier messages`;
