"""What a request may cost before it is sent: never less than it can turn out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valechat.billing import PriceTable, price, tokenizer
from valechat.billing.estimate import (
    RequestSize,
    default_max_tokens,
    fit_max_tokens,
    input_bound,
    likely,
    likely_input,
    size_of,
    worst_case,
)
from valechat.messages import FilePart, ImagePart, Message, OpaquePart, ToolCallPart, ToolResultPart
from valechat.usage import Usage

PRICES = {"lab/m": {"input": "1", "output": "4", "cache_write": "1.25", "cache_read": "0.1"}}


@dataclass(frozen=True)
class Tool:
    name: str = "add"
    description: str = "Adds."
    parameters: Mapping[str, Any] = field(default_factory=lambda: {"type": "object"})


@pytest.fixture(scope="module")
def lab() -> PriceTable:
    return PriceTable.load().with_user(PRICES)


def test_text_counts_with_its_utf_8_bytes() -> None:
    assert size_of([Message.user("añ日😀")]).text_bytes == 1 + 2 + 3 + 4


def test_system_message_tools_and_documents_count() -> None:
    message = Message.user("hi", FilePart(b"x" * 100, "text/plain", "a.txt"))
    size = size_of([message], system="be brief", tools=[Tool()])
    schema = '{"type": "object"}'
    assert size == RequestSize(2 + 100 + 5 + 8 + 3 + 5 + len(schema), messages=2, images=0, tools=1)


def test_images_count_wherever_they_are() -> None:
    image = ImagePart(b"png", "image/png")
    messages = [Message.user("look", image), Message("tool", (ToolResultPart("1", "shot", "", images=(image, image)),))]
    assert size_of(messages).images == 3


def test_what_returns_to_the_model_unchanged_counts() -> None:
    call = Message("assistant", (ToolCallPart("1", "add", '{"a": 1}' * 10),))
    opaque = Message("assistant", (OpaquePart({"type": "reasoning", "encrypted_content": "x" * 500}),))
    assert size_of([call]).text_bytes > 80
    assert size_of([opaque]).text_bytes > 500


@given(text=st.text(max_size=400))
def test_no_text_has_more_tokens_than_the_bound(text: str) -> None:
    bound = input_bound(size_of([Message.user(text)]), "openai/gpt-4.1")
    assert tokenizer.count(text, "o200k_base") + 7 <= bound


def test_the_bound_never_exceeds_the_context_window() -> None:
    assert input_bound(RequestSize(10**9), "anthropic/claude-haiku-4-5") == 200_000


def test_a_model_that_counts_images_heavily_has_a_higher_bound() -> None:
    size = RequestSize(10, images=1)
    assert input_bound(size, "openai/gpt-4o-mini") > input_bound(size, "openai/gpt-4o") + 30_000


def test_the_likely_input_is_below_the_bound() -> None:
    size = size_of([Message.user("The quick brown fox. " * 50)])
    assert likely_input(size) < input_bound(size, "openai/gpt-5") / 3


def test_the_default_answer_is_the_models_most_up_to_a_reasonable_length(table: PriceTable) -> None:
    assert default_max_tokens("acme/flat", table) == 2_000
    assert default_max_tokens("acme/unheard-of", table) == 16_384
    assert default_max_tokens("openai/gpt-5") == 16_384


def test_all_input_counts_at_its_dearest(lab: PriceTable) -> None:
    assert worst_case("lab/m", 1_000, 100, table=lab) == Decimal("0.00165")


@given(
    read=st.integers(0, 50_000),
    written=st.integers(0, 50_000),
    fresh=st.integers(0, 200_000),
    answer=st.integers(0, 20_000),
    model=st.sampled_from(["anthropic/claude-sonnet-4-5", "openai/gpt-6-sol", "gemini/gemini-2.5-pro", "xai/grok-4.7"]),
)
def test_no_request_costs_more_than_its_worst_case(
    read: int, written: int, fresh: int, answer: int, model: str
) -> None:
    at = datetime.now(UTC)
    writes = written if model.startswith(("anthropic", "openai")) else 0
    usage = Usage(read + writes + fresh, answer, read, writes)
    worst = worst_case(model, read + writes + fresh, 20_000)
    cost = price(usage, model, at).cost
    assert worst is not None
    assert cost is not None
    assert cost <= worst


def test_the_tier_asked_for_sets_the_worst_case() -> None:
    standard = worst_case("openai/gpt-5", 1000, 1000)
    priority = worst_case("openai/gpt-5", 1000, 1000, details={"service_tier": "priority"})
    assert standard is not None
    assert priority == 2 * standard
    assert worst_case("openai/gpt-5", 1000, 1000, details={"service_tier": "scale"}) is None


def test_a_fee_for_the_request_itself_is_in_the_worst_case(lab: PriceTable) -> None:
    priced = lab.with_user({"lab/fee": {"input": "0", "output": "0", "request": "5"}})
    assert worst_case("lab/fee", 10, 10, table=priced) == Decimal("0.005")


def test_a_model_without_a_price_has_no_worst_case() -> None:
    assert worst_case("nobody/unheard-of", 10, 10) is None
    assert fit_max_tokens(Decimal(5), "nobody/unheard-of", 10, 10) is None


@pytest.mark.parametrize(("model", "local"), [("ollama/llama3", False), ("mylab/big", True)])
def test_a_local_model_fits_whatever_is_left(model: str, local: bool) -> None:
    assert worst_case(model, 10**6, 10**6, local=local) == 0
    assert fit_max_tokens(Decimal(0), model, 10**6, 4096, local=local) == 4096


def test_the_likely_case_counts_input_once_and_a_usual_answer(lab: PriceTable) -> None:
    assert likely("lab/m", 1_000, table=lab) == Decimal("0.001") + 600 * Decimal("0.000004")


@given(
    room=st.decimals(min_value=0, max_value=1, places=8),
    inputs=st.integers(0, 300_000),
    most=st.integers(1, 100_000),
)
def test_what_fits_stays_within_the_room_and_no_more_would(room: Decimal, inputs: int, most: int) -> None:
    fits = fit_max_tokens(room, "gemini/gemini-2.5-pro", inputs, most)
    least = min(64, most)
    if fits is None:
        smallest = worst_case("gemini/gemini-2.5-pro", inputs, least)
        assert smallest is not None
        assert smallest > room
        return
    worst, beyond = (worst_case("gemini/gemini-2.5-pro", inputs, n) for n in (fits, fits + 1))
    assert worst is not None
    assert beyond is not None
    assert least <= fits <= most
    assert worst <= room
    assert fits == most or beyond > room
