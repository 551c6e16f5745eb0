"""The dashboard's charts, as what a front end draws.

JupyterLab 4 and Notebook 7 bring a renderer of Vega-Lite 5 and need no network for it. Charts are drawn
as SVG whose text has the colour of the text around it, so they follow a change of theme. Their width is
set from here: Vega-Lite's own `width: container` hangs JupyterLab 4.6. Floats are for places on the
screen only; what a tooltip says is text made from the exact amounts.

A chart is drawn as wide as its place is, so that its letters are as large in a narrow one as in a wide one.
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import altair as alt

from valechat.notebook.spend.axes import across, periods
from valechat.notebook.spend.figures import Month, Row
from valechat.notebook.spend.queries import Span
from valechat.notebook.wording import dollars

__all__ = ["conversations", "month", "over_time", "plugins", "titled", "tokens", "verification"]

Output = dict[str, Any]

_MIME = "application/vnd.vegalite.v5+json"
_SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
_COLOURS = ["#4c78a8", "#f58518", "#54a24b", "#b279a2", "#72b7b2", "#e45756", "#d4a017", "#9d755d", "#8c8c8c"]
_INK = "currentColor"
_AROUND = 12
"""Pixels that a front end puts beside a chart."""
_LONGEST_NAME = 220
_CONFIG = {
    "background": "transparent",
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "style": {
        "guide-label": {"fill": _INK, "fontSize": 11},
        "guide-title": {"fill": _INK, "fontSize": 11, "fontWeight": "normal"},
    },
    "axis": {
        "domainColor": _INK,
        "domainOpacity": 0.4,
        "tickColor": _INK,
        "tickOpacity": 0.4,
        "gridColor": _INK,
        "gridOpacity": 0.12,
    },
    "legend": {"labelLimit": _LONGEST_NAME, "orient": "bottom", "title": None},
    "range": {"category": _COLOURS},
}
_TOKENS = {"input": "input", "cache_read": "cache reads", "cache_write": "cache writes", "output": "output"}
_VERDICTS = {"verified": "#54a24b", "discrepancy": "#e45756", "unable": "#8c8c8c", "pending": "#d4a017"}
_ENDS = {"ok": "#54a24b", "error": "#e45756", "timeout": "#f58518", "refused": "#d4a017", "cancelled": "#8c8c8c"}


def over_time(rows: Sequence[Row], span: Span, width: int, *, describe: str) -> Output:
    """Bars of cost by period, stacked by name."""
    values = [
        {"period": str(row["period"]), "name": row["name"], "usd": float(row["cost"]), "cost": dollars(row["cost"])}
        for row in rows
        if row["cost"] is not None
    ]
    up = alt.Y("usd:Q", title="USD", axis=alt.Axis(tickCount=5))
    return _drawn(_bars(values, span, width, up, "cost:N"), describe, width, 240)


def tokens(rows: Sequence[Row], span: Span, width: int) -> Output:
    """Bars of tokens by period, stacked by kind."""
    values = [
        {"period": str(row["period"]), "name": word, "tokens": row[kind], "count": f"{row[kind]:,}"}
        for row in rows
        for kind, word in _TOKENS.items()
        if row[kind]
    ]
    up = alt.Y("tokens:Q", title="tokens", axis=alt.Axis(tickCount=5, format="~s"))
    return _drawn(_bars(values, span, width, up, "count:N"), "Tokens by period and kind", width, 200)


def month(figures: Month, width: int) -> Output:
    """The month's sum as it grew, its limit, and the dashed way to what is expected."""
    first, last = _bounds(figures.today)
    spent = [
        {"day": str(row["day"]), "usd": float(row["so_far"]), "cost": dollars(row["so_far"])}
        for row in figures.table.rows
        if row["so_far"] is not None
    ]
    if spent and spent[-1]["day"] != str(figures.today):
        spent.append({**spent[-1], "day": str(figures.today)})
    across = alt.X(
        "utcyearmonthdate(day):T",
        title=None,
        scale=alt.Scale(type="utc", domain=[f"{first}T00:00:00Z", f"{last}T00:00:00Z"]),
        axis=alt.Axis(format="%-d %b", tickCount=max(width // 90, 2), grid=False),
    )
    up = alt.Y("usd:Q", title="USD", axis=alt.Axis(tickCount=5))
    tip = [
        alt.Tooltip("utcyearmonthdate(day):T", title="until", format="%-d %B %Y"),
        alt.Tooltip("cost:N", title="spent"),
    ]
    line = alt.Chart(alt.InlineData(values=spent)).encode(x=across, y=up, tooltip=tip)
    layers: list[Any] = [
        line.mark_area(interpolate="step-after", opacity=0.2, color=_COLOURS[0]),
        line.mark_line(interpolate="step-after", color=_COLOURS[0], point={"size": 40, "color": _COLOURS[0]}),
    ]
    if figures.expected is not None:
        way = [
            {"day": str(figures.today), "usd": float(figures.spent)},
            {"day": str(last), "usd": float(figures.expected)},
        ]
        ahead = alt.Chart(alt.InlineData(values=way)).encode(x=across, y=up)
        layers.append(ahead.mark_line(strokeDash=[5, 4], color=_COLOURS[0]))
    if figures.limit is not None:
        ceiling = alt.Chart(alt.InlineData(values=[{"usd": float(figures.limit), "cost": dollars(figures.limit)}]))
        layers.append(
            ceiling.mark_rule(color="#e45756", strokeWidth=2).encode(
                y=up, tooltip=[alt.Tooltip("cost:N", title="monthly limit")]
            )
        )
    return _drawn(alt.layer(*layers), "This month's spend as it grew, with its limit", width, 200)


def conversations(rows: Sequence[Row], width: int) -> Output:
    """Bars of cost by conversation, the dearest on top. Bars are told apart by id: titles repeat."""
    values = [
        {
            "id": row["conversation_id"],
            "title": titled(row),
            "usd": float(row["cost"]),
            "cost": dollars(row["cost"]),
            "requests": f"{row['requests']:,}",
        }
        for row in rows
        if row["cost"] is not None
    ]
    place = alt.Y("id:N", sort=None, title=None, axis=None)
    base = alt.Chart(alt.InlineData(values=values)).encode(
        y=place,
        tooltip=[
            alt.Tooltip("title:N", title="conversation"),
            alt.Tooltip("cost:N", title="cost"),
            alt.Tooltip("requests:N", title="requests"),
        ],
    )
    bars = base.mark_bar(color=_COLOURS[0], opacity=0.45, height={"band": 0.85}).encode(
        x=alt.X("usd:Q", title="USD", axis=alt.Axis(tickCount=max(width // 90, 2)))
    )
    words = base.mark_text(align="left", dx=4, fill=_INK, limit=width - 24).encode(x=alt.datum(0), text="title:N")
    return _drawn(alt.layer(bars, words), "The most expensive conversations", width, alt.Step(26))


def verification(rows: Sequence[Row], width: int) -> Output:
    """Bars of requests by model, each divided by what the independent count said."""
    sums: dict[tuple[str, str], int] = {}
    for row in rows:
        key = (row["model"], row["verification"])
        sums[key] = sums.get(key, 0) + row["requests"]
    values = [
        {"model": model, "verdict": verdict, "requests": count, "count": f"{count:,}"}
        for (model, verdict), count in sums.items()
    ]
    across = alt.X("requests:Q", stack="normalize", title="share of requests", axis=alt.Axis(format="%", tickCount=5))
    return _parted(values, ("model", "verdict"), across, _VERDICTS, width, describe="Verification by model")


def plugins(rows: Sequence[Row], width: int) -> Output:
    """Bars of calls by tool, each divided by how they ended."""
    values = [
        {"tool": row["tool"], "end": row["status"], "calls": row["calls"], "count": f"{row['calls']:,}"} for row in rows
    ]
    across = alt.X("calls:Q", title="calls", axis=alt.Axis(tickCount=5, format="~s"))
    return _parted(values, ("tool", "end"), across, _ENDS, width, describe="Calls of plugins' tools")


def _parted(
    values: list[dict[str, Any]],
    names: tuple[str, str],
    across: alt.X,
    colours: Mapping[str, str],
    width: int,
    *,
    describe: str,
) -> Output:
    """Bars by the first name, divided by the second; `count` of each value is its tooltip."""
    of, part = names
    room = min(220, width // 2)
    there = [name for name in colours if any(value[part] == name for value in values)]
    values = [{**value, "place": there.index(value[part])} for value in values]
    scale = alt.Scale(domain=there, range=[colours[name] for name in there])
    chart = (
        alt.Chart(alt.InlineData(values=values))
        .mark_bar(height={"band": 0.75})
        .encode(
            x=across,
            y=alt.Y(f"{of}:N", sort=None, title=None, axis=alt.Axis(labelLimit=room, ticks=False, domain=False)),
            color=_legend(f"{part}:N", width, there, scale),
            order="place:Q",
            tooltip=[alt.Tooltip(f"{of}:N"), alt.Tooltip(f"{part}:N"), alt.Tooltip("count:N", title="how many")],
        )
    )
    return _drawn(chart, describe, width, alt.Step(28))


def titled(row: Row) -> str:
    """What to call a conversation."""
    return row["title"] or ("untitled" if row["title"] is not None else "deleted conversation")


def _bars(values: list[dict[str, Any]], span: Span, width: int, up: alt.Y, exact: str) -> alt.Chart:
    unit, shown = ("utcyearmonthdate", "%-d %b %Y") if span.step == "day" else ("utcyearmonth", "%B %Y")
    names = list(dict.fromkeys(value["name"] for value in values))
    first = min((date.fromisoformat(value["period"]) for value in values), default=span.today)
    chart: alt.Chart = (
        alt.Chart(alt.InlineData(values=values))
        .mark_bar(binSpacing=1 if width >= 4 * len(periods(span, first)) else 0)
        .encode(
            x=across(span, first, width),
            y=up,
            color=_legend("name:N", width, names, alt.Scale(domain=names), sort=names),
            tooltip=[
                alt.Tooltip(f"{unit}(period):T", title=span.step, format=shown),
                alt.Tooltip("name:N", title="of"),
                alt.Tooltip(exact),
            ],
        )
    )
    return chart


def _legend(field: str, width: int, names: Sequence[str], scale: alt.Scale, **options: Any) -> alt.Color:
    """Colours by name, the names below the chart in as many columns as fit."""
    longest = max((len(name) for name in names), default=0)
    columns = max(width // (min(longest * 7, _LONGEST_NAME) + 30), 1)
    return alt.Color(field, scale=scale, legend=alt.Legend(columns=columns), **options)


def _bounds(day: date) -> tuple[date, date]:
    return day.replace(day=1), day.replace(day=calendar.monthrange(day.year, day.month)[1])


def _drawn(chart: Any, describe: str, width: int, height: int | alt.Step) -> Output:
    """The chart as an output, for `Output.outputs`; `width` is that of its place."""
    spec: Mapping[str, Any] = chart.properties(
        width=width - _AROUND, height=height, autosize=alt.AutoSizeParams(type="fit-x", contains="padding")
    ).to_dict()
    spec = {
        **spec,
        "$schema": _SCHEMA,
        "config": _CONFIG,
        "description": describe,
    }
    return {
        "output_type": "display_data",
        "data": {_MIME: spec, "text/plain": describe},
        "metadata": {_MIME: {"embed_options": {"renderer": "svg", "actions": False}}},
    }
