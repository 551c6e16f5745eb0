/** The texts of comparisons. */
export const strings = {
  compare: "Compare models",
  chosen: (count: number) => `Comparing ${count} models`,
  search: "Find a model",
  most: (count: number) => `Up to ${count} models answer the same question, side by side, each at its own price.`,
  none: "No model found",
  remove: (model: string) => `Leave ${model} out`,
  clear: "Stop comparing",
  next: "Your next question goes to",
  answers: "Answers side by side",
  keep: "Keep this",
  keepTitle: (model: string) => `Go on with this answer and ${model}; the others stay as branches`,
  fastest: "fastest",
  cheapest: "cheapest",
};
