// Bundles the front end into valechat/static/: `node build.mjs [--watch]`.
import { context } from "esbuild";

const here = new URL(".", import.meta.url).pathname;
const watching = process.argv.includes("--watch");

const bundle = await context({
  absWorkingDir: here,
  entryPoints: {
    panel: "src/widget.ts",
    keys: "src/keys.ts",
  },
  outdir: "../valechat/static",
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  charset: "utf8",
  legalComments: "none",
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
