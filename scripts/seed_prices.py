"""Make the package's price table from public ones. Run by hand; nothing of it is used at run time.

    uv run --group prices python scripts/seed_prices.py [--litellm WHEEL]

Prices come from genai-prices (MIT), windows and abilities from the model list in litellm's wheel
(MIT), which is read as data and never imported. Prices that did not change keep the day they were
first entered; changed ones are entered as a new version of the model's history beside the old one.
Prints where the two tables disagree.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from genai_prices import data as genai
from genai_prices import types as g

from valechat.billing.table import PriceTable

TABLE = Path(__file__).parents[1] / "valechat/billing/data/prices.json"

PROVIDERS = {
    "anthropic": "anthropic",
    "cerebras": "cerebras",
    "cohere": "cohere",
    "deepseek": "deepseek",
    "fireworks": "fireworks",
    "google": "gemini",
    "groq": "groq",
    "minimax": "minimax",
    "mistral": "mistral",
    "moonshotai": "moonshotai",
    "openai": "openai",
    "openrouter": "openrouter",
    "perplexity": "perplexity",
    "together": "together",
    "x-ai": "xai",
    "zai": "zai",
}
KEYS = {
    "cache_audio_read_mtok": "cache_read_audio",
    "cache_image_read_mtok": "cache_read_image",
    "cache_read_mtok": "cache_read",
    "cache_write_1h_mtok": "cache_write_1h",
    "cache_write_mtok": "cache_write",
    "input_audio_mtok": "input_audio",
    "input_image_mtok": "input_image",
    "input_mtok": "input",
    "input_video_mtok": "input_video",
    "output_audio_mtok": "output_audio",
    "output_image_mtok": "output_image",
    "output_mtok": "output",
    "output_video_mtok": "output_video",
    "requests_kcount": "request",
    "storage_searches_kcount": "file_search",
    "web_searches_kcount": "web_search",
}
LITELLM = {"cohere_chat": "cohere", "fireworks_ai": "fireworks", "moonshot": "moonshotai", "together_ai": "together"}
"""litellm's names for providers where they differ from ours."""
NOT_CHAT = re.compile(
    r"embed|tts|transcri|whisper|realtime|moderation|rerank|[-/]live|speech|translat|image|-ocr|robotics|omni-"
)
HIDDEN_FEE = re.compile(r"search-(preview|api)")
"""OpenAI's search models charge each answer a fee that their usage does not show."""
WEEKDAYS = {"deepseek-flash": "12345", "deepseek-v4-flash": "12345", "deepseek-v4-pro": "12345"}
"""DeepSeek's peak hours are on weekdays (Beijing time, the same days as UTC at those hours). Chinese
public holidays are off-peak too; there the table's price is an upper bound."""

DEMO: dict[str, Any] = {
    "title": "Demonstration: repeats what it is told",
    "context": 128000,
    "max_output": 4096,
    "can": {"files": False, "images": False, "reasoning": False, "schema": False, "tools": True},
}


def main() -> None:
    """Make the table and say what changed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--litellm", type=Path, help="a litellm wheel to take windows and abilities from")
    parser.add_argument("--today", type=date.fromisoformat, default=datetime.now(UTC).date())
    options = parser.parse_args()
    source = f"genai-prices {importlib.metadata.version('genai-prices')}"
    facts = read_facts(options.litellm) if options.litellm else {}
    before = json.loads(TABLE.read_text())["models"] if TABLE.exists() else {}

    found = {"demo/echo": DEMO | {"known": [flat("demonstration", {"input": "1.00", "output": "2.00"}, options.today)]}}
    for provider in genai.providers:
        for model in provider.models if provider.id in PROVIDERS else ():
            found.update(entries(PROVIDERS[provider.id], model, source, options.today))
    models = before | {
        name: finished(name, entry, facts, before.get(name, {}).get("known", [])) for name, entry in found.items()
    }
    write(models, source, options.today)
    compare(PriceTable.load(), facts, options.today)


def entries(provider: str, model: g.ModelInfo, source: str, today: date) -> Iterator[tuple[str, dict[str, Any]]]:
    """A model's entry in the table, unless it is no chat model or its price has a unit the table lacks."""
    own, *others = dict.fromkeys(names(model))
    if provider == "gemini" and not own.startswith(("gemini", "gemma")):
        return
    if NOT_CHAT.search(own) or (provider == "openai" and HIDDEN_FEE.search(own)):
        return
    conditional = model.prices if isinstance(model.prices, list) else [g.ConditionalPrice(prices=model.prices)]
    rates = [rate(c, conditional, own) for c in conditional]
    if any(r is None or not {"input", "output"} <= r["prices"].keys() for r in rates):
        return
    if provider != "openrouter" and all(p == "0" for r in rates if r for p in r["prices"].values()):
        return
    version: dict[str, Any] = {"at": today.isoformat(), "source": source, "rates": rates}
    if variants := [v for v in map(variant, model.price_variants or ()) if v]:
        version["variants"] = variants
    entry: dict[str, Any] = {"title": model.name or own, "names": others, "context": model.context_window}
    if model.deprecated:
        entry["deprecated"] = True
    yield f"{provider}/{own}", {key: value for key, value in entry.items() if value} | {"known": [version]}


def finished(
    name: str, entry: Mapping[str, Any], facts: Mapping[str, Any], known: list[dict[str, Any]]
) -> dict[str, Any]:
    """The entry with what the other table knows of the model, and with the history known before."""
    whole_entry = {
        "title": entry.get("title"),
        "names": [other for other in entry.get("names", ()) if not moved(name, other, entry, facts)],
        **{key: entry.get(key) or facts.get(name, {}).get(key) for key in ("context", "max_output", "can")},
        "deprecated": entry.get("deprecated"),
        "known": history(known, entry["known"][0]),
    }
    return {key: value for key, value in whole_entry.items() if value}


def moved(name: str, other: str, entry: Mapping[str, Any], facts: Mapping[str, Any]) -> bool:
    """Whether a `-latest` name seems to mean another model by now: the other table prices it differently."""
    there = facts.get(f"{name.partition('/')[0]}/{other}")
    if not other.endswith("-latest") or there is None or there["input"] is None:
        return False
    ours = [rate["prices"]["input"] for rate in entry["known"][0]["rates"]]
    here = {Decimal(price["base"] if isinstance(price, dict) else price) for price in ours}
    return Decimal(there["input"]) * 1_000_000 not in here


def names(model: g.ModelInfo) -> Iterator[str]:
    """Exact names of a model. A prefix counts as a name; its snapshots are found by their dates."""
    yield model.id.lower()
    yield from clause_names(model.match)


def clause_names(clause: Any) -> Iterator[str]:
    """The names a matching rule spells out; its patterns are left out."""
    match clause:
        case g.ClauseEquals():
            yield clause.equals.lower()
        case g.ClauseStartsWith():
            yield clause.starts_with.lower().rstrip("-@:")
        case g.ClauseOr():
            for inner in clause.or_:
                yield from clause_names(inner)


def rate(priced: g.ConditionalPrice, others: list[g.ConditionalPrice], name: str) -> dict[str, Any] | None:
    """One price of a model's history, with the days and hours it holds; None when it cannot be stored."""
    prices = stored_prices(priced.prices)
    if prices is None:
        return None
    match priced.constraint:
        case None:
            return {"prices": prices}
        case g.StartDateConstraint(start_date=start):
            return {"from": start.isoformat(), "prices": prices}
        case g.TimeOfDateConstraint(start_time=start, end_time=end) if start < end:
            found: dict[str, Any] = {"hours": [f"{start:%H:%M}", f"{end:%H:%M}"], "prices": prices}
            if name in WEEKDAYS:
                found["weekdays"] = WEEKDAYS[name]
            # genai-prices cannot give one price both a date and hours; these began with the last date.
            dates = [c.constraint.start_date for c in others if isinstance(c.constraint, g.StartDateConstraint)]
            return found | ({"from": max(dates).isoformat()} if dates else {})
    return None


def variant(found: g.PriceVariant) -> dict[str, Any] | None:
    """The prices of another way to be served (tier, batch, speed); None when they cannot be stored."""
    prices = stored_prices(found.prices)
    if not prices or len(found.when) != 1:
        return None
    ((condition, value),) = found.when.items()
    stored: dict[str, Any] = {"condition": condition, "value": value, "prices": prices}
    if isinstance(found.constraint, g.StartDateConstraint):
        stored["from"] = found.constraint.start_date.isoformat()
    return stored


def stored_prices(prices: g.ModelPrice) -> dict[str, Any] | None:
    """Unit prices in the table's form; None when one of them is of a kind the table does not have."""
    stored: dict[str, Any] = {}
    for key, value in vars(prices).items():
        if value is None:
            continue
        if key not in KEYS:
            return None
        if isinstance(value, g.TieredPrices):
            stored[KEYS[key]] = {"base": text(value.base), "above": {str(t.start): text(t.price) for t in value.tiers}}
        else:
            stored[KEYS[key]] = text(value)
    return dict(sorted(stored.items()))


def text(value: Decimal) -> str:
    """Decimal text without an exponent or trailing zeros."""
    return f"{value.normalize():f}"


def flat(source: str, prices: dict[str, str], today: date) -> dict[str, Any]:
    """A version of a price history that is one price."""
    return {"at": today.isoformat(), "source": source, "rates": [{"prices": prices}]}


def history(before: list[dict[str, Any]], now: dict[str, Any]) -> list[dict[str, Any]]:
    """The versions known before, and this one if it says anything new."""

    def content(version: Mapping[str, Any]) -> tuple[Any, Any]:
        return version["rates"], version.get("variants")

    if not before:
        return [now]
    if content(before[-1]) == content(now):
        return before
    earlier = [version for version in before if version["at"] < now["at"]]
    return [*earlier, now]


def read_facts(wheel: Path) -> dict[str, dict[str, Any]]:
    """Windows, abilities and base prices by `provider/model` from a litellm wheel."""
    with zipfile.ZipFile(wheel) as archive:
        listed = json.loads(archive.read("litellm/model_prices_and_context_window_backup.json"), parse_float=Decimal)
    facts: dict[str, dict[str, Any]] = {}
    for name, entry in listed.items():
        if entry.get("mode") not in {"chat", "responses", "completion"}:
            continue
        provider, model = entry["litellm_provider"], name.lower()
        provider = {"cohere_chat": "cohere", "fireworks_ai": "fireworks", "together_ai": "together"}.get(
            provider, provider
        )
        for prefix in (f"{entry['litellm_provider']}/", "accounts/fireworks/models/"):
            model = model.removeprefix(prefix)
        can = {
            ability: entry[flag]
            for ability, flag in (
                ("files", "supports_pdf_input"),
                ("images", "supports_vision"),
                ("reasoning", "supports_reasoning"),
                ("schema", "supports_response_schema"),
                ("tools", "supports_function_calling"),
            )
            if isinstance(entry.get(flag), bool)
        }
        facts[f"{provider}/{model}"] = {
            "context": whole(entry.get("max_input_tokens")),
            "max_output": whole(entry.get("max_output_tokens")),
            "can": can or None,
            "input": entry.get("input_cost_per_token"),
            "output": entry.get("output_cost_per_token"),
        }
    return facts


def whole(value: Any) -> int | None:
    """A positive count, or None."""
    return int(value) if isinstance(value, int | Decimal) and value > 0 else None


def write(models: Mapping[str, Any], source: str, today: date) -> None:
    """One model a line, so that a change of price is a change of line."""
    head = {
        "format": 1,
        "made": today.isoformat(),
        "unit": "USD per million tokens; per thousand for web_search, file_search and request",
        "sources": {
            source: "https://github.com/pydantic/genai-prices (MIT, see prices.LICENSE)",
            "demonstration": "ValeChat's own demo server; nobody charges it",
        },
    }
    lines = [f"{json.dumps(name)}: {json.dumps(models[name], ensure_ascii=False)}" for name in sorted(models)]
    opening = json.dumps(head, indent=0, ensure_ascii=False)[:-2]
    TABLE.write_text(f'{opening},\n"models": {{\n' + ",\n".join(lines) + "\n}\n}\n")
    print(f"{len(models)} models, {TABLE.stat().st_size:,} bytes")


def compare(table: PriceTable, facts: Mapping[str, Any], today: date) -> None:
    """Print where litellm's table has another price for the same name today."""
    noon = datetime.combine(today, time(12), UTC)
    checked = differing = 0
    for name, other in facts.items():
        rates = table.find(name, noon)
        if rates is None or other["input"] is None or other["output"] is None or name.startswith("openrouter/"):
            continue
        checked += 1
        for key in ("input", "output"):
            theirs = Decimal(other[key]) * 1_000_000
            if rates.prices[key].base != theirs:
                differing += 1
                print(f"  {name} {key}: {rates.prices[key].base} here, {text(theirs)} there")
    print(f"{checked} names are in litellm's table too; {differing} prices differ")


if __name__ == "__main__":
    main()
