"""`help`."""

from __future__ import annotations

from valechat.notebook.formats import FORMATS
from valechat.notebook.outputs import show
from valechat.notebook.verbs.registry import VERBS, Call, verb

__all__ = ["help_text", "show_help"]

_ASKING = """\
### Asking

| | |
|---|---|
| `%valechat` | the chat panel |
| `%valechat What is an ARIMA model?` | ask on one line |
| `%%valechat` | ask what stands below, in the cell |
| `%%valechat openai/gpt-5-mini -f code` | this model, this once; its code in a new cell |
| `%%valechat demo/echo openai/gpt-5-mini` | several models side by side |
| `%%valechat answer << demo/echo` | the reply in a variable, as with `-o answer` |
| `%valechat -- list three rivers` | a question that begins with a verb |

`{{df}}`, `{{row.name}}`, `{{rows[0]}}`, `{{In[3]}}`, `{{Out[3]}}` and `{{Err[3]}}` put the notebook's values into
the question: a table as its schema, statistics and a few rows, a figure as an image, a function as its source. What
looks like a secret is hidden. All other braces are left alone; `{{{{name}}}}` sends `{{name}}`.

### Options

| | |
|---|---|
| `-m MODEL` | whom to ask, where a plain word would be part of the question |
| `-s SYSTEM` | instructions that stand before the conversation |
| `-f FORMAT` | {formats} |
| `-o VAR` | variable for the reply; with `-f json` for the value itself |
| `-c NAME` | ask in the conversation of that name |
| `--new` | begin a new conversation first |
| `-t TEMPERATURE` | 0 to 2 |
| `--max-tokens N` | the longest answer |
| `--max-cost USD` | the most this question may cost |
| `--tools f,git` | what the model may call: functions, plugins, single tools (`git_git_log`), `notebook` |
| `--reveal x,y` | send these variables as they are, what looks like a secret included |
| `--dry-run` | show what would be sent and what it could cost |
| `--no-stream` | show the answer when it is whole |

They hold for one question. `%valechat use MODEL` chooses for all that follow.

The stop button ends the request at once and keeps what has arrived. A question that fails or is stopped fails its
cell, so that a notebook run as a whole stops there.

### Verbs

| | |
|---|---|
{verbs}
"""


@verb("help [VERB]", "this page", most=1, values=("verb",))
def show_help(call: Call) -> None:
    """Show all there is, or one verb."""
    name = call.word(0)
    if name is not None:
        known = VERBS.get(name)
        if known is None:
            raise VERBS["help"].misused(call.text, f"There is no verb {name!r}; there are {', '.join(VERBS)}.")
        text = f"`%valechat {known.usage}`: {known.summary}"
    else:
        text = help_text()
    show({"text/markdown": text, "text/plain": text})


def help_text() -> str:
    """The whole help, as Markdown."""
    verbs = "\n".join(f"| `%valechat {_in_cell(known.usage)}` | {known.summary} |" for known in VERBS.values())
    return _ASKING.format(formats=", ".join(f"`{name}`" for name in FORMATS), verbs=verbs)


def _in_cell(code: str) -> str:
    return code.replace("|", "\\|")
