/** Whether a panel stands on a dark ground, and when that changes. */

/** Told by the colour of its text, which is right in every host. */
export function isDark(el: Element): boolean {
  const [red = 0, green = 0, blue = 0] = (getComputedStyle(el).color.match(/[\d.]+/g) ?? []).map(Number);
  return (red * 299 + green * 587 + blue * 114) / 1000 > 127;
}

/** A theme's style sheet comes some time after its name. */
const SETTLED_MS = [50, 500, 2_000];

/** Calls back after each change between dark and light. Returns the way to stop. */
export function watchTheme(el: Element, changed: (dark: boolean) => void): () => void {
  let dark = isDark(el);
  const timers = new Set<ReturnType<typeof setTimeout>>();
  const look = () => {
    if (!el.isConnected || isDark(el) === dark) return;
    dark = !dark;
    changed(dark);
  };
  const later = () => {
    for (const timer of timers) clearTimeout(timer);
    timers.clear();
    for (const delay of SETTLED_MS) timers.add(setTimeout(look, delay));
  };
  const observer = new MutationObserver(later);
  for (const node of [document.documentElement, document.body]) {
    observer.observe(node, { attributes: true, attributeFilter: ["class", "style", "data-theme", "data-jp-theme-name"] });
  }
  const query = globalThis.matchMedia?.("(prefers-color-scheme: dark)");
  query?.addEventListener("change", later);
  return () => {
    observer.disconnect();
    query?.removeEventListener("change", later);
    for (const timer of timers) clearTimeout(timer);
  };
}
