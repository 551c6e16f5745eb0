// Bundles the front end into valechat/static/: `node build.mjs [--watch]`.
import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { build, context } from "esbuild";

const here = new URL(".", import.meta.url).pathname;
const watching = process.argv.includes("--watch");
const used = new Map();

/** Writes the licences of all packages that are in the bundle beside it, as they ask for. */
const notices = (name) => ({
  name: "notices",
  setup(build) {
    build.onEnd(async ({ metafile }) => {
      used.set(name, Object.keys(metafile?.inputs ?? {}));
      const inputs = [...used.values()].flat();
      const packages = [...new Set(inputs.flatMap((file) => file.match(/^(?:[^:]*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0] ?? []))];
      const texts = packages.sort().map(async (folder) => {
        const { name, version, license, author } = JSON.parse(await readFile(`${here}${folder}/package.json`, "utf8"));
        const file = (await readdir(here + folder)).find((entry) => /^(un)?licen[cs]e(-mit)?(\.md|\.txt)?$/i.test(entry));
        const said = file ? await readFile(`${here}${folder}/${file}`, "utf8") : permission(name, license, author);
        return `${name} ${version}\n\n${said.trim()}\n`;
      });
      await writeFile(`${here}../valechat/static/LICENSES.txt`, (await Promise.all(texts)).join(`\n${"-".repeat(80)}\n\n`));
    });
  },
});

/** A package that says whose it is and under which licence, but brings no copy of it. */
function permission(name, license, author) {
  if (license !== "MIT") throw new Error(`${name} has no licence file to pass on`);
  const holder = typeof author === "string" ? author : (author?.name ?? `the authors of ${name}`);
  return MIT.replace("HOLDER", holder);
}

const MIT = `MIT License

Copyright (c) HOLDER

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;

/** `import css from "….css?inline"`: a style sheet as text, its fonts inside it. */
const inlineStyles = {
  name: "inline-styles",
  setup(outer) {
    outer.onResolve({ filter: /\.css\?inline$/ }, ({ path, resolveDir }) => ({
      path: createRequire(`${resolveDir}/x.js`).resolve(path.replace(/\?inline$/, "")),
      namespace: "inline-styles",
    }));
    outer.onLoad({ filter: /.*/, namespace: "inline-styles" }, async ({ path }) => {
      // Every browser that runs the panel reads WOFF2.
      const loader = { ".woff2": "dataurl", ".woff": "empty", ".ttf": "empty" };
      const { outputFiles } = await build({ entryPoints: [path], bundle: true, minify: true, write: false, loader });
      return { contents: outputFiles[0].text, loader: "text", watchFiles: [path] };
    });
  },
};

/** Panels on one page share what one of them brought, when it is of the same build. */
async function assetsBuild() {
  const hash = createHash("sha256").update(await readFile(`${here}package-lock.json`));
  for (const file of (await readdir(`${here}src/assets`)).sort()) hash.update(await readFile(`${here}src/assets/${file}`));
  return hash.digest("hex").slice(0, 16);
}

const common = {
  absWorkingDir: here,
  outdir: "../valechat/static",
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  charset: "utf8",
  legalComments: "none",
  metafile: true,
  logLevel: "info",
};

// Brought over the comm when first needed; they do not change while the panel is worked on.
await build({
  ...common,
  entryPoints: { katex: "src/assets/katex.ts", mermaid: "src/assets/mermaid.ts" },
  plugins: [inlineStyles, notices("assets")],
});

// JupyterLab's side panel, in the folder that the wheel installs among its extensions.
const dock = `${here}../valechat/static/labextension`;
await build({
  ...common,
  outdir: dock,
  format: "iife",
  entryPoints: { "static/remoteEntry": "src/dock/remote.ts" },
  plugins: [inlineStyles, notices("dock")],
});
const version = createHash("sha256").update(await readFile(`${dock}/static/remoteEntry.js`)).digest("hex").slice(0, 12);
for (const name of ["package.json", "install.json"]) {
  const text = await readFile(`${here}src/dock/${name}`, "utf8");
  await writeFile(`${dock}/${name}`, text.replace("VERSION", version));
}

const bundle = await context({
  ...common,
  entryPoints: {
    panel: "src/widget.ts",
    keys: "src/keys.ts",
    plugins: "src/plugins/widget.ts",
    questions: "src/questions.ts",
  },
  define: { ASSETS_BUILD: JSON.stringify(await assetsBuild()) },
  plugins: [notices("panel")],
  // A blob URL has no folder to find a map file in, so only a watched build carries one inside.
  sourcemap: watching ? "inline" : false,
});

if (watching) {
  await bundle.watch();
} else {
  await bundle.rebuild();
  await bundle.dispose();
}
