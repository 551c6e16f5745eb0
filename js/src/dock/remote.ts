/**
 * A federated extension of JupyterLab without its builder: `window._JUPYTERLAB` holds a container with `init` and
 * `get` (module federation), and the modules it needs come from JupyterLab's share scope.
 */
import type { Module } from "./lab";
import { plugin } from "./plugin";

type Scope = Record<string, Record<string, { get(): Promise<() => Module> | (() => Module) }>>;

let scope: Scope = {};

/** The newest version that is shared; there is one, except where another extension brought its own. */
async function shared(name: string): Promise<Module | null> {
  const versions = scope[name] ?? {};
  const newest = Object.keys(versions).sort((a, b) => a.localeCompare(b, undefined, { numeric: true })).at(-1);
  if (newest === undefined) return null;
  const factory = await versions[newest]?.get();
  return factory?.() ?? null;
}

const containers = globalThis as unknown as { _JUPYTERLAB?: Record<string, unknown> };

(containers._JUPYTERLAB ??= {})["valechat"] = {
  init(given: Scope): void {
    scope = given;
  },
  async get(): Promise<() => Module> {
    const made = { __esModule: true, default: await plugin(shared) };
    return () => made;
  },
};
