/** What the panel says about formulas, diagrams, sources and pictures of an answer. */
export const strings = {
  formulaFailed: (why: string) => `This formula could not be drawn: ${why}`,
  formulaTooLong: "it is too long",
  copyFormula: "Copy as TeX",

  diagram: "diagram",
  diagramOf: (kind: string) => (kind ? `Diagram (${kind}); its source tells the same in words` : "Diagram"),
  diagramDrawing: "Drawing",
  diagramFailed: (why: string) => `This diagram could not be drawn: ${why}`,
  diagramTooLong: "its source is too long.",
  diagramEmpty: "nothing was drawn.",
  diagramTooSlow: "it took too long.",
  showSource: "Source",
  showDiagram: "Diagram",

  assetMissing: "what draws it could not be brought from the kernel.",

  sources: "Sources",
  sourceUnnamed: "Source",
  sourcesAll: (count: number) => `All ${count} sources`,

  answerFiles: "Pictures and files of this answer",
  download: (name: string) => `Download ${name}`,
};
