import { describe, expect, it } from "vitest";

import { extended } from "../../src/render/extend";
import { MarkdownView } from "../../src/render/markdown";

function drawn(html: string): HTMLElement {
  const place = document.createElement("div");
  place.innerHTML = html;
  return place;
}

/** What is drawn after the attempt, where it was made in place. */
function tried(before: string, after: string): string | null {
  const place = drawn(before);
  return extended([...place.childNodes], before, after) ? place.innerHTML : null;
}

describe("a text that grew at its end", () => {
  it.each([
    ["a paragraph", "<p>One</p>\n", "<p>One two.</p>\n"],
    ["after a blank", "<p>One </p>\n", "<p>One two.</p>\n"],
    ["after a word in bold", "<p><strong>One</strong> t</p>\n", "<p><strong>One</strong> two.</p>\n"],
    ["in bold", "<p><strong>On</strong></p>\n", "<p><strong>One two</strong></p>\n"],
    ["an item of an inner list", "<ul>\n<li>a<ul>\n<li>b</li>\n</ul>\n</li>\n</ul>\n", "<ul>\n<li>a<ul>\n<li>b c</li>\n</ul>\n</li>\n</ul>\n"],
    [
      "a cell, before those that are empty still",
      "<table>\n<tbody><tr>\n<td>a</td>\n<td></td>\n</tr>\n</tbody></table>\n",
      "<table>\n<tbody><tr>\n<td>ab</td>\n<td></td>\n</tr>\n</tbody></table>\n",
    ],
    ["with signs that HTML writes in its own way", "<p>a &lt; b</p>\n", "<p>a &lt; b &amp; &quot;c&quot;</p>\n"],
  ])("is drawn further: %s", (_, before, after) => {
    expect(tried(before, after)).toBe(drawn(after).innerHTML);
  });

  it.each([
    ["a mark came with it", "<p>One</p>\n", "<p>One <em>two</em></p>\n"],
    ["an earlier word changed", "<p>One two</p>\n", "<p>Ane two three</p>\n"],
    ["it became shorter", "<p>&amp;am</p>\n", "<p>&amp;</p>\n"],
    ["nothing but blanks was there", "<p><em>One</em> </p>\n", "<p><em>One</em> two</p>\n"],
    ["it is code", "<p><code>a</code></p>\n", "<p><code>ab</code></p>\n"],
    ["it is a link's", '<p><a href="https://a.example">a</a></p>\n', '<p><a href="https://a.example">ab</a></p>\n'],
    ["it is in no element that is drawn", "<b>a</b><!-- > a</p>", "<b>a</b><!-- > ab</p>"],
    ["what is drawn is something else", "<p>One</p>\n", "<p>One two</p>\n"],
  ])("is left alone where %s", (what, before, after) => {
    const place = drawn(what === "what is drawn is something else" ? "<p>Two</p>\n" : before);
    const was = place.innerHTML;
    expect(extended([...place.childNodes], before, after)).toBe(false);
    expect(place.innerHTML).toBe(was);
  });

  it("keeps what is selected in it", () => {
    const view = new MarkdownView();
    document.body.append(view.node);
    view.update("Some *words* to copy", false);
    const text = view.node.querySelector("p")?.lastChild as Text;
    document.getSelection()?.setBaseAndExtent(text, 1, text, 3);
    view.update("Some *words* to copy, while more of them come", false);
    expect(document.getSelection()?.toString()).toBe("to");
    view.node.remove();
  });
});
