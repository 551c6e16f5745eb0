// Bundles the front end into valechat/static/: `node build.mjs [--watch]`.
import { readdir, readFile, writeFile } from "node:fs/promises";
import { context } from "esbuild";

const here = new URL(".", import.meta.url).pathname;
const watching = process.argv.includes("--watch");

/** Writes the licences of all packages that are in the bundle beside it, as they ask for. */
const notices = {
  name: "notices",
  setup(build) {
    build.onEnd(async ({ metafile }) => {
      const inputs = Object.keys(metafile?.inputs ?? {});
      const packages = [...new Set(inputs.flatMap((file) => file.match(/^node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0] ?? []))];
      const texts = packages.sort().map(async (folder) => {
        const { name, version } = JSON.parse(await readFile(`${here}${folder}/package.json`, "utf8"));
        const file = (await readdir(here + folder)).find((entry) => /^licen[cs]e(\.md|\.txt)?$/i.test(entry));
        if (file === undefined) throw new Error(`${name} has no licence file to pass on`);
        return `${name} ${version}\n\n${(await readFile(`${here}${folder}/${file}`, "utf8")).trim()}\n`;
      });
      await writeFile(`${here}../valechat/static/LICENSES.txt`, (await Promise.all(texts)).join(`\n${"-".repeat(80)}\n\n`));
    });
  },
};

const bundle = await context({
  absWorkingDir: here,
  entryPoints: {
    panel: "src/widget.ts",
    keys: "src/keys.ts",
    plugins: "src/plugins/widget.ts",
    questions: "src/questions.ts",
  },
  outdir: "../valechat/static",
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  charset: "utf8",
  legalComments: "none",
  metafile: true,
  plugins: [notices],
  // A blob URL has no folder to find a map file in, so only a watched build carries one inside.
  sourcemap: watching ? "inline" : false,
  logLevel: "info",
});

if (watching) {
  await bundle.watch();
} else {
  await bundle.rebuild();
  await bundle.dispose();
}
