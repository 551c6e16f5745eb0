"""`cost`, `spend` and `limits`: what was spent, and what may be."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from IPython.display import display

from valechat.billing.limits import plan
from valechat.config.edit import change_limits
from valechat.engine import engine
from valechat.errors import ConfigError
from valechat.money import total
from valechat.notebook import current
from valechat.notebook.outputs import show, small
from valechat.notebook.tabular import table
from valechat.notebook.verbs.registry import VERBS, Call, verb
from valechat.notebook.wording import dollars, tokens
from valechat.queries import connect
from valechat.reply import total_usage
from valechat.services import services

__all__ = ["cost", "limits", "spend"]


_DISCREPANCIES = """SELECT provider || '/' || model, discrepancies, verified + discrepancies, largest_percent, cost
FROM discrepancies_by_model WHERE discrepancies > 0"""


@verb("cost", "what the last reply and this conversation cost, and which counts an own count does not confirm")
def cost(_call: Call) -> None:
    """Show the cost of the last reply and of the notebook's conversation, and discrepancies by model."""
    chat = current.notebook_chat()
    rows = services().ledger.conversation_usage(chat.conversation_id)
    lines = []
    last = current.last_reply()
    if last is not None:
        lines.append(["last reply", last.model, tokens(last.usage), dollars(last.cost)])
    known = [row.cost for row in rows if row.cost is not None]
    unpriced = len(rows) - len(known)
    spent = dollars(total(known)) if known or not rows else "price unknown"
    if known and unpriced:
        spent += f", and {unpriced} requests of unknown price"
    asked = f"{len(rows)} request{'' if len(rows) == 1 else 's'}"
    lines.append(["this conversation", asked, tokens(total_usage([row.usage for row in rows])) if rows else "", spent])
    show(table(["", "", "tokens", "cost"], lines, right=(3,)))
    with connect() as connection:
        found = connection.execute(_DISCREPANCIES).fetchall()
    if found:
        show(small("Of all requests whose tokens could be counted independently, these were billed for others:"))
        shown = [
            [model, f"{discrepancies:,} of {counted:,}", f"{percent:+.1f} %", dollars(spent)]
            for model, discrepancies, counted, percent, spent in found
        ]
        show(table(["model", "discrepancies", "largest", "their cost"], shown, right=(1, 2, 3)))


@verb("spend", "the dashboard: spend over time, this month, tokens, conversations, verification")
def spend(_call: Call) -> None:
    """Show the dashboard."""
    from valechat.notebook import spend as dashboard

    display(dashboard.spend())


@verb(
    "limits [NAME AMOUNT|off]",
    "what may be spent, and what is left; `limits daily 5.00` sets one",
    most=2,
    values=(("daily", "monthly", "conversation", "confirm_above"), ("off",)),
)
def limits(call: Call) -> None:
    """Show all limits, or set or remove one."""
    name, amount = call.word(0), call.word(1)
    if name is not None:
        if amount is None:
            raise VERBS["limits"].misused(
                call.text, f"What should the limit {name} be? `%valechat limits {name} 5.00`."
            )
        change_limits(services().paths, {name: _amount(amount)})
    model = engine().run(_model())
    chat = current.notebook_chat()
    settings = services().settings.limits
    ceilings = plan(settings, model, chat.conversation_id, datetime.now(UTC), services().zone).ceilings
    rows = [
        [
            state.limit,
            dollars(state.amount),
            dollars(state.used),
            dollars(state.held),
            dollars(state.remaining),
            _end(state.resets_at),
        ]
        for state in services().ledger.limit_states(ceilings)
    ]
    if rows:
        show(table(["limit", "USD", "used", "held", "left", "until"], rows, right=(1, 2, 3, 4)))
    notes = [] if rows else [f"No spending limit applies to {model}. `%valechat limits daily 5.00` sets one."]
    if settings.confirm_above is not None:
        notes.append(f"You are asked before a request that may cost more than {dollars(settings.confirm_above)}.")
    others = sorted(name for name in settings.models if name != model)
    if others:
        notes.append(f"Limits of their own: {', '.join(others)}.")
    for provider, rate in sorted(settings.rate.items()):
        per_minute = [
            f"{value} {what}"
            for what, value in _rates(rate.requests_per_minute, rate.tokens_per_minute, rate.cost_per_minute)
        ]
        notes.append(f"{provider}, in a minute: {', '.join(per_minute)}.")
    if notes:
        show(small(*notes))


async def _model() -> str:
    name = current.notebook_chat().model or await services().default_model()
    return (await services().target(name)).name


def _amount(text: str) -> Decimal | None:
    if text.lower() in ("off", "none"):
        return None
    try:
        amount = Decimal(text.removeprefix("$"))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount < 0:
        raise ConfigError(f"{text!r} is no amount in USD.", fix="Write it as 5.00, or `off` to remove the limit.")
    return amount


def _end(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment.astimezone(services().zone):%Y-%m-%d %H:%M}"


def _rates(requests: int | None, counted: int | None, money: Decimal | None) -> list[tuple[str, str]]:
    found = [("requests", requests), ("tokens", counted)]
    rates = [(what, f"{value:,}") for what, value in found if value is not None]
    return [*rates, *([("of cost", dollars(money))] if money is not None else [])]
