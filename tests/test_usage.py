"""Reading what six wires say they counted."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from valechat.usage import Usage
from valechat.wires import WIRES

START: dict[str, Any] = {
    "type": "message_start",
    "message": {
        "model": "claude-sonnet-4-5",
        "usage": {
            "input_tokens": 25,
            "output_tokens": 1,
            "cache_creation_input_tokens": 300,
            "cache_read_input_tokens": 40,
            "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200},
            "service_tier": "standard",
            "inference_geo": "us",
        },
    },
}
DELTA: dict[str, Any] = {"type": "message_delta", "delta": {}, "usage": {"input_tokens": 30, "output_tokens": 15}}


def test_a_bare_usage_object_and_the_response_around_it_read_alike() -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 5}
    assert Usage.from_wire("openai.chat", usage) == Usage.from_wire("openai.chat", {"usage": usage})


def test_a_count_the_server_left_out_is_unknown_and_not_zero() -> None:
    usage = Usage.from_wire("openai.chat", {"prompt_tokens": 10, "completion_tokens": 5})
    assert (usage.cache_read_tokens, usage.cache_write_tokens, usage.reasoning_tokens) == (None, None, None)


def test_a_count_of_zero_is_known() -> None:
    raw = {"prompt_tokens": 10, "completion_tokens": 0, "prompt_tokens_details": {"cached_tokens": 0}}
    usage = Usage.from_wire("openai.chat", raw)
    assert (usage.output_tokens, usage.cache_read_tokens) == (0, 0)


def test_openai_parts_stay_inside_their_counts() -> None:
    raw = {
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 30},
        "completion_tokens_details": {"reasoning_tokens": 40},
    }
    assert Usage.from_wire("openai.chat", raw) == Usage(100, 50, 60, 30, 40)


def test_the_tier_the_response_was_served_in_is_kept() -> None:
    chunks = [{"usage": None, "service_tier": "auto"}, {"usage": {"prompt_tokens": 1}, "service_tier": "flex"}]
    assert Usage.from_wire("openai.chat", chunks).details["service_tier"] == "flex"


def test_responses_read_the_completed_event() -> None:
    event = {
        "type": "response.completed",
        "response": {
            "service_tier": "priority",
            "usage": {
                "input_tokens": 100,
                "input_tokens_details": {"cached_tokens": 64, "cache_write_tokens": 8},
                "output_tokens": 50,
                "output_tokens_details": {"reasoning_tokens": 40},
            },
            "output": [{"type": "file_search_call"}, {"type": "message"}],
        },
    }
    usage = Usage.from_wire("openai.responses", [event])
    assert usage == Usage(
        100, 50, 64, 8, 40, {"service_tier": "priority", "hosted_tool_calls": {"file_search_call": 1}}
    )


def test_anthropic_input_is_the_sum_of_fresh_read_and_written() -> None:
    usage = Usage.from_wire("anthropic.messages", {"usage": {**START["message"]["usage"], "output_tokens": 9}})
    assert (usage.input_tokens, usage.cache_read_tokens, usage.cache_write_tokens) == (365, 40, 300)


def test_an_anthropic_delta_raises_what_the_start_counted() -> None:
    usage = Usage.from_wire("anthropic.messages", [START, DELTA])
    assert (usage.input_tokens, usage.output_tokens) == (370, 15)


def test_an_anthropic_delta_never_lowers_a_count() -> None:
    delta = {"type": "message_delta", "usage": {"input_tokens": 0, "output_tokens": 15}}
    assert Usage.from_wire("anthropic.messages", [START, delta]).input_tokens == 365


def test_anthropic_keeps_from_the_start_what_the_delta_lacks() -> None:
    details = Usage.from_wire("anthropic.messages", [START, DELTA]).details
    assert details["cache_creation"] == {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200}
    assert (details["service_tier"], details["inference_geo"]) == ("standard", "us")


def test_anthropic_usage_objects_read_like_the_events_around_them() -> None:
    bare = Usage.from_wire("anthropic.messages", [START["message"]["usage"], DELTA["usage"]])
    whole = Usage.from_wire("anthropic.messages", [START, DELTA])
    assert {**whole.details, "model": None} == {**bare.details, "model": None}
    assert (bare.input_tokens, bare.output_tokens) == (whole.input_tokens, whole.output_tokens)


def test_an_anthropic_stream_cut_before_its_delta_has_no_known_output() -> None:
    usage = Usage.from_wire("anthropic.messages", [START])
    assert (usage.input_tokens, usage.output_tokens) == (365, None)


def test_anthropic_thinking_is_part_of_the_output() -> None:
    raw = {"input_tokens": 5, "output_tokens": 90, "output_tokens_details": {"thinking_tokens": 70}}
    usage = Usage.from_wire("anthropic.messages", raw)
    assert (usage.output_tokens, usage.reasoning_tokens) == (90, 70)


def test_gemini_thoughts_and_tool_prompts_come_on_top() -> None:
    raw = {
        "promptTokenCount": 10,
        "toolUsePromptTokenCount": 7,
        "cachedContentTokenCount": 4,
        "candidatesTokenCount": 3,
        "thoughtsTokenCount": 5,
    }
    assert Usage.from_wire("gemini.generate", {"usageMetadata": raw}) == Usage(17, 8, 4, None, 5)


def test_geminis_last_chunk_stands() -> None:
    chunks = [{"usageMetadata": {"promptTokenCount": 4, "candidatesTokenCount": count}} for count in (1, 20, 12)]
    assert Usage.from_wire("gemini.generate", chunks).output_tokens == 12


def test_gemini_output_left_out_is_zero_where_the_total_shows_it() -> None:
    raw = {"promptTokenCount": 10, "thoughtsTokenCount": 90, "totalTokenCount": 100}
    assert Usage.from_wire("gemini.generate", raw).output_tokens == 90


def test_gemini_output_left_out_without_a_total_is_unknown() -> None:
    assert Usage.from_wire("gemini.generate", {"promptTokenCount": 10}).output_tokens is None


def test_gemini_keeps_modalities_other_than_text() -> None:
    listed = [{"modality": "TEXT", "tokenCount": 3}, {"modality": "AUDIO", "tokenCount": 9}]
    raw = {"promptTokenCount": 12, "candidatesTokenCount": 1, "promptTokensDetails": listed}
    assert Usage.from_wire("gemini.generate", raw).details == {"promptTokensDetails": {"AUDIO": 9}}


@pytest.mark.parametrize("written", ["0.00014149999999999999", Decimal("0.00014149999999999999")])
def test_openrouters_cost_keeps_every_digit_it_was_given(written: object) -> None:
    raw = {"usage": {"prompt_tokens": 1, "completion_tokens": 1, "cost": written}}
    assert Decimal(Usage.from_wire("openrouter.chat", raw).details["cost"]) == Decimal("0.00014149999999999999")


def test_a_cost_that_came_as_a_float_is_read_by_its_shortest_text() -> None:
    raw = {"usage": {"prompt_tokens": 1, "completion_tokens": 1, "cost": 0.1}}
    assert Usage.from_wire("openrouter.chat", raw).details["cost"] == "0.1"


@pytest.mark.parametrize("written", [-0.5, "free", True, float("nan"), float("inf"), [], "1e400"])
def test_a_cost_that_is_no_sum_of_money_is_noted_and_dropped(written: object) -> None:
    raw = {"usage": {"prompt_tokens": 1, "completion_tokens": 1, "cost": written}}
    details = Usage.from_wire("openrouter.chat", raw).details
    assert "cost" not in details
    assert details["notes"] == ["usage.cost is no sum of money"]


def test_ollama_counts_stand_on_the_last_chunk() -> None:
    chunks = [{"message": {"content": "a"}}, {"done": True, "prompt_eval_count": 26, "eval_count": 298}]
    assert Usage.from_wire("ollama.chat", chunks) == Usage(26, 298)


@pytest.mark.parametrize("garbage", [-1, "12", True, 1.5, 10**16, [], {"a": 1}])
def test_what_is_no_count_is_unknown_and_noted(garbage: object) -> None:
    usage = Usage.from_wire("openai.chat", {"prompt_tokens": garbage, "completion_tokens": 5})
    assert usage.input_tokens is None
    assert usage.details["notes"] == ["prompt_tokens is no token count"]


def test_garbage_in_a_part_of_a_sum_makes_the_sum_unknown() -> None:
    raw = {"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": -3}
    usage = Usage.from_wire("anthropic.messages", raw)
    assert (usage.input_tokens, usage.cache_read_tokens, usage.output_tokens) == (None, None, 5)


def test_a_part_larger_than_its_whole_is_unknown() -> None:
    raw = {"prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 11}}
    usage = Usage.from_wire("openai.chat", raw)
    assert usage.cache_read_tokens is None
    assert usage.details["notes"] == ["cached_tokens exceeds the count it is part of"]


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("nothing", [None, [], {}, [{}], "usage", 7, [None, "x"]])
def test_no_usage_is_unknown_usage(wire: str, nothing: object) -> None:
    usage = Usage.from_wire(wire, nothing)
    assert (usage.input_tokens, usage.output_tokens) == (None, None)


def test_an_unknown_wire_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"openai\.chat"):
        Usage.from_wire("smoke.signals", {})


WORDS = st.sampled_from(
    [
        "usage", "usageMetadata", "message", "response", "type", "message_start", "message_delta", "input_tokens",
        "output_tokens", "prompt_tokens", "completion_tokens", "total_tokens", "prompt_tokens_details",
        "completion_tokens_details", "cached_tokens", "reasoning_tokens", "cache_read_input_tokens",
        "cache_creation_input_tokens", "cache_creation", "ephemeral_1h_input_tokens", "server_tool_use",
        "web_search_requests", "promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "totalTokenCount",
        "toolUsePromptTokenCount", "promptTokensDetails", "modality", "AUDIO", "tokenCount", "cost", "is_byok",
        "cost_details", "upstream_inference_cost", "eval_count", "prompt_eval_count", "service_tier", "output",
        "iterations", "compaction", "candidates", "groundingMetadata", "webSearchQueries", "x_groq",
        "cache_write_tokens_details", "ttl_12h_tokens", "inference_geo",
    ]
)  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | WORDS
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=6))


@settings(deadline=None)
@given(wire=st.sampled_from(sorted(WIRES)), raw=JSON)
def test_whatever_a_server_sends_is_read_as_counts_or_as_unknown(wire: str, raw: Any) -> None:
    usage = Usage.from_wire(wire, raw)
    counts = (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens, usage.reasoning_tokens)
    assert all(count is None or (type(count) is int and count >= 0) for count in counts)
    json.dumps(usage.details)
