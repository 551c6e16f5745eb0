/** Work of which one frame has room for one piece: the first is done at once, those that come with it frame by frame. */
const waiting: (() => void)[] = [];
let taken = false;

export function inTurn(work: () => void): void {
  if (taken) {
    waiting.push(work);
    return;
  }
  taken = true;
  requestAnimationFrame(next);
  work();
}

function next(): void {
  const work = waiting.shift();
  if (work === undefined) {
    taken = false;
    return;
  }
  requestAnimationFrame(next);
  work();
}
