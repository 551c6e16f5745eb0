/** Drawing spread over frames, so that answers that come or end together do not hold the page up. */

/** Milliseconds of a frame that texts may take to grow. */
const ROOM = 8;

const growing: (() => void)[] = [];
const ending: (() => void)[] = [];
let scheduled = false;
let shown: CSSNumberish | null = null;
let spent = 0;
let ended = false;

/** Lets a text grow: at once while this frame has room for it, or in the next that has, in the order they came. */
export function grow(work: () => void): void {
  if (growing.length === 0 && room()) take(work);
  else growing.push(work);
  if (growing.length > 0) schedule();
}

/** Ends a text, for which all of it is parsed again: one in a frame. */
export function end(work: () => void): void {
  if (ended) ending.push(work);
  else work();
  ended = true;
  schedule();
}

/** Whether texts may still grow in this frame, which the page's own clock tells from the one before. */
function room(): boolean {
  const now = document.timeline?.currentTime ?? null;
  if (now === null || now !== shown) spent = 0;
  shown = now;
  return spent < ROOM;
}

function take(work: () => void): void {
  const begun = performance.now();
  work();
  spent += performance.now() - begun;
}

function schedule(): void {
  if (!scheduled) requestAnimationFrame(next);
  scheduled = true;
}

function next(): void {
  scheduled = false;
  const last = ending.shift();
  ended = last !== undefined;
  last?.();
  // A new frame, also where the browser rounds its clock so that nobody is known by it.
  shown = null;
  while (growing.length > 0 && room()) take(growing.shift() as () => void);
  if (ended || growing.length > 0) schedule();
}
