/** Syntax colours for code, as HTML whose only markup is spans with highlight.js classes. */
import hljs from "highlight.js/lib/core";
import bash from "highlight.js/lib/languages/bash";
import css from "highlight.js/lib/languages/css";
import javascript from "highlight.js/lib/languages/javascript";
import json from "highlight.js/lib/languages/json";
import markdown from "highlight.js/lib/languages/markdown";
import python from "highlight.js/lib/languages/python";
import r from "highlight.js/lib/languages/r";
import sql from "highlight.js/lib/languages/sql";
import typescript from "highlight.js/lib/languages/typescript";
import xml from "highlight.js/lib/languages/xml";

const languages = { bash, css, javascript, json, markdown, python, r, sql, typescript, xml };
for (const [name, language] of Object.entries(languages)) hljs.registerLanguage(name, language);
hljs.registerAliases(["ipython", "ipython3", "python3"], { languageName: "python" });
hljs.registerAliases(["console", "shell", "terminal"], { languageName: "bash" });
hljs.registerAliases(["duckdb", "postgresql", "sqlite"], { languageName: "sql" });

/** Above this many characters colours cost more than they help. */
const MOST = 100_000;

/** Highlighted HTML, or null where the language is unknown or the code too long: show it plain. */
export function highlighted(code: string, language: string): string | null {
  if (code.length > MOST || !hljs.getLanguage(language)) return null;
  return hljs.highlight(code, { language, ignoreIllegals: true }).value;
}
