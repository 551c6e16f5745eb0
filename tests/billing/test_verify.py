"""An independent count: honest about what it can and cannot say."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from valechat.billing.verify import REASONS, verify, verify_later
from valechat.ledger.base import Verification
from valechat.messages import ImagePart, Message, TextPart, ThinkingPart, ToolCallPart
from valechat.usage import Usage

SYSTEM = Message("system", (TextPart("You are a helpful assistant."),))
QUESTION = Message.user("Hello!")
ANSWER = Message("assistant", (TextPart("Hello! How can I assist you today?"),))
LONG = Message("assistant", (TextPart("one two three four five six seven eight nine ten " * 100),))
LONG_TOKENS = 1001


def check(usage: Usage, model: str = "openai/gpt-4.1", answer: Message = ANSWER, **options: Any) -> Verification:
    return verify(usage, model, prompt=[SYSTEM, QUESTION], answer=answer, **options)


def test_the_example_of_openais_own_reference_is_verified() -> None:
    found = check(Usage(19, 10, 0, None, 0))
    assert (found.status, found.counted_input_tokens, found.counted_output_tokens) == ("verified", 19, 9)


def test_a_reasoning_models_input_is_one_less() -> None:
    found = check(Usage(18, 10 + 192, 0, None, 192), "openai/o3")
    assert (found.status, found.counted_input_tokens) == ("verified", 18)


def test_reasoning_is_taken_out_of_the_output_before_comparing() -> None:
    assert check(Usage(18, LONG_TOKENS + 5000, None, None, 5000), "openai/gpt-5", LONG).status == "verified"
    assert check(Usage(18, LONG_TOKENS + 5000, None, None, 0), "openai/gpt-5", LONG).status == "discrepancy"


@pytest.mark.parametrize(("said", "status"), [(9 + 16, "verified"), (9 + 17, "discrepancy"), (0, "verified")])
def test_a_short_answer_may_differ_by_sixteen_tokens(said: int, status: str) -> None:
    assert check(Usage(19, said, None, None, 0)).status == status


@pytest.mark.parametrize(
    ("said", "status"), [(1053, "verified"), (1054, "discrepancy"), (954, "verified"), (953, "discrepancy")]
)
def test_a_long_answer_may_differ_by_five_percent(said: int, status: str) -> None:
    assert check(Usage(19, said, None, None, 0), answer=LONG).status == status


def test_a_discrepancy_says_by_how_much_and_in_which_direction() -> None:
    more, less = (check(Usage(19, said, None, None, 0), answer=LONG) for said in (2002, 500))
    assert (more.discrepancy_percent, less.discrepancy_percent) == (Decimal("100.00"), Decimal("-50.05"))


def test_a_discrepancy_of_the_input_counts_too() -> None:
    assert check(Usage(190, 10, None, None, 0)).status == "discrepancy"


@pytest.mark.parametrize("model", ["anthropic/claude-opus-5", "gemini/gemini-2.5-pro", "openai/gpt-99", "groq/gpt-4o"])
def test_a_model_without_a_published_tokenizer_cannot_be_verified(model: str) -> None:
    assert check(Usage(19, 10), model) == Verification("unable", "tokenizer_unpublished")


@pytest.mark.parametrize("usage", [Usage(), Usage(19), Usage(output_tokens=10)])
def test_counts_that_are_missing_cannot_be_verified(usage: Usage) -> None:
    assert check(usage) == Verification("unable", "usage_missing")


def test_an_answer_that_broke_off_cannot_be_verified() -> None:
    found = verify(Usage(19, 10), "openai/gpt-4.1", prompt=[QUESTION], answer=ANSWER, status="cancelled")
    assert found == Verification("unable", "usage_missing")


@pytest.mark.parametrize(
    ("option", "reason"),
    [("tools", "tools_or_schema"), ("schema", "tools_or_schema"), ("server_state", "server_state")],
)
def test_what_the_provider_adds_to_the_input_cannot_be_verified(option: str, reason: str) -> None:
    found = check(Usage(500, 10, None, None, 0), **dict[str, Any]({option: True}))
    assert (found.status, found.reason, found.counted_input_tokens, found.counted_output_tokens) == (
        "unable",
        reason,
        None,
        9,
    )


def test_an_output_that_is_far_off_is_a_discrepancy_even_where_the_input_cannot_be_counted() -> None:
    assert check(Usage(500, 1000, None, None, 0), tools=True).status == "discrepancy"


def test_images_cannot_be_verified() -> None:
    prompt = [Message.user("What is this?", ImagePart(b"png", "image/png"))]
    assert verify(Usage(900, 10, None, None, 0), "openai/gpt-4o", prompt=prompt, answer=ANSWER).reason == "media"


def test_tool_calls_cannot_be_verified() -> None:
    answer = Message("assistant", (ToolCallPart("1", "add", "{}"),))
    assert check(Usage(19, 12, None, None, 0), answer=answer).reason == "tools_or_schema"


def test_reasoning_that_is_not_counted_apart_cannot_be_verified() -> None:
    assert check(Usage(18, 400), "openai/gpt-5").reason == "hidden_reasoning"


def test_reasoning_sent_back_unseen_cannot_be_verified() -> None:
    earlier = Message("assistant", (ThinkingPart("", "openai.responses", {"encrypted_content": "x"}), TextPart("Hi")))
    found = verify(Usage(900, 9, None, None, 0), "openai/gpt-5", prompt=[QUESTION, earlier, QUESTION], answer=ANSWER)
    assert found.reason == "hidden_reasoning"


def test_every_reason_has_a_sentence() -> None:
    assert set(REASONS) == {
        "tokenizer_unpublished",
        "tools_or_schema",
        "media",
        "server_state",
        "hidden_reasoning",
        "usage_missing",
    }


async def test_verifying_later_leaves_the_loop_free() -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    ticking = asyncio.create_task(tick())
    found = await verify_later(
        Usage(19, LONG_TOKENS, None, None, 0), "openai/gpt-4.1", prompt=[SYSTEM, QUESTION], answer=LONG
    )
    ticking.cancel()
    assert found.status == "verified"
    assert ticks > 1
