/** Files dragged over the panel: a mark while they hover, and what becomes of them at the drop. */
import { carriesFiles } from "../files";
import { strings } from "../strings";

export class DropZone {
  /** The mark; it takes no part in the drag itself. */
  private readonly mark = document.createElement("div");
  private depth = 0;

  constructor(root: HTMLElement, dropped: (files: readonly File[]) => void) {
    this.mark.className = "vc-drop";
    this.mark.hidden = true;
    this.mark.textContent = strings.dropHere;
    const over = (event: DragEvent, step: number) => {
      if (!carriesFiles(event.dataTransfer)) return;
      // Without this the browser would leave the notebook and open the file.
      event.preventDefault();
      event.stopPropagation();
      if (event.dataTransfer) event.dataTransfer.dropEffect = "copy";
      this.show(this.depth + step);
    };
    root.addEventListener("dragenter", (event) => over(event, 1));
    root.addEventListener("dragover", (event) => over(event, 0));
    root.addEventListener("dragleave", (event) => over(event, -1));
    root.addEventListener("drop", (event) => {
      if (!carriesFiles(event.dataTransfer)) return;
      event.preventDefault();
      event.stopPropagation();
      this.show(0);
      dropped([...(event.dataTransfer?.files ?? [])]);
    });
  }

  get node(): HTMLElement {
    return this.mark;
  }

  /** Children tell of entering and leaving too: the mark goes when all that was entered is left. */
  private show(depth: number): void {
    this.depth = Math.max(0, depth);
    this.mark.hidden = this.depth === 0;
  }
}
