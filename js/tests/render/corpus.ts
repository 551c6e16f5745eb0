/** Markdown with everything that models write, and where block structure is easy to get wrong. */
export const corpus: Record<string, string> = {
  prose: `# Title

A paragraph with **bold**, *italic*, \`code\`, ~~struck~~ and a [link](https://example.org/a?b=c&d=e).
Its second line.

Another one, with a hard break\\
here and an autolink https://example.org/x.

Setext
------

Last.`,
  lists: `Intro:

- one
- two

  still two

  \`\`\`python
  print("inside")
  \`\`\`
- three
  1. a
  2. b

     c

* another list

1) x
2) y

- [ ] open
- [x] done
`,
  code: `Before

\`\`\`python
def f(x: int) -> str:
    """Doc."""

    return f"{x!r}"  # comment
\`\`\`

~~~sql
SELECT 1;

SELECT 2;
~~~

    indented code

    goes on

\`\`\`
no language
\`\`\`
\`\`\`\`markdown
\`\`\`js
nested
\`\`\`
\`\`\`\`
After`,
  tables: `Text

| a | b |
|:--|--:|
| 1 | \`x|y\` |
| 2 | **z** |

| only | header |
|------|--------|

End | not a table`,
  quotes: `> one
lazy

> two
>
> > deep
> - item

***

Done`,
  html: `Some <b>inline</b> and <br> break.

<div align="center">

**centre**

</div>

<details><summary>More</summary>Inside</details>

<!-- a comment -->

Tail`,
  windows: "First\r\n\r\n- a\r\n- b\r\n\r\n```json\r\n{\"a\": 1}\r\n```\r\n\r\nLast\r\n",
  odd: "\n\n\n# A #\n#not\n\n\tcode by tab\n\n* * *\n\n_a\n_b_\n\n&amp; &lt;b&gt; \\* é 漢字 🙂\n\n$x_1$ and $$y$$",
  unclosed: "Text\n\n```python\nprint('never closed')\n\nmore",
};

/** Numbers from 0 to 1, the same for the same seed, so that a failing split can be repeated. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
