/** What a browser keeps between pages, such as drafts, does not go from one test to the next. */
import { beforeEach } from "vitest";

beforeEach(() => {
  if (typeof localStorage !== "undefined") localStorage.clear();
});
