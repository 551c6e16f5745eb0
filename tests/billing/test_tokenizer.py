"""OpenAI's tokenizers from the package's own data, without any download."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
import tiktoken
import tiktoken_ext.openai_public

from valechat.billing import tokenizer


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.parametrize(
    ("name", "text", "tokens"),
    [
        ("cl100k_base", "tiktoken is great!", [83, 1609, 5963, 374, 2294, 0]),
        ("o200k_base", "tiktoken is great!", [83, 8251, 2488, 382, 2212, 0]),
    ],
)
def test_an_encoding_gives_the_published_tokens(offline: None, name: str, text: str, tokens: list[int]) -> None:
    assert tokenizer.load(name).encode_ordinary(text) == tokens


@pytest.mark.parametrize("name", tokenizer.SPECIFICATIONS)
def test_pattern_digest_and_special_tokens_are_tiktokens_own(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    digests: list[str] = []

    def remember(address: str, expected_hash: str) -> dict[bytes, int]:
        digests.append(expected_hash)
        return {}

    monkeypatch.setattr(tiktoken_ext.openai_public, "load_tiktoken_bpe", remember)
    build: Callable[[], dict[str, object]] = getattr(tiktoken_ext.openai_public, name)
    official = build()
    assert tokenizer.SPECIFICATIONS[name] == (official["pat_str"], digests[0], official["special_tokens"])


def test_ranks_that_are_not_tiktokens_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import gzip

    (tmp_path / "o200k_base.tiktoken.gz").write_bytes(gzip.compress(b"IQ== 0\n"))
    monkeypatch.setattr(tokenizer, "_DATA", tmp_path)
    monkeypatch.setattr(tokenizer, "_loaded", {})
    with pytest.raises(ValueError, match="not tiktoken's"):
        tokenizer.load("o200k_base")


def test_an_encoding_is_loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert tokenizer.load("o200k_base") is tokenizer.load("o200k_base")
    assert tokenizer.is_loaded("o200k_base")


@pytest.mark.parametrize(
    ("model", "encoding"),
    [
        ("gpt-4o", "o200k_base"),
        ("gpt-4.1-mini", "o200k_base"),
        ("gpt-5-mini-2025-08-07", "o200k_base"),
        ("o3", "o200k_base"),
        ("gpt-4", "cl100k_base"),
        ("gpt-3.5-turbo", "cl100k_base"),
        ("text-davinci-003", None),
        ("claude-sonnet-4-5", None),
        ("gpt-99", None),
    ],
)
def test_only_models_with_a_published_tokenizer_have_one(model: str, encoding: str | None) -> None:
    assert tokenizer.encoding_for(model) == encoding


def test_special_tokens_in_a_text_count_as_text() -> None:
    assert tokenizer.count("<|endoftext|>", "o200k_base") == 7


@pytest.mark.parametrize("blank", [" ", "\n", "\t"])
def test_a_very_long_run_of_blanks_is_counted(blank: str) -> None:
    text = "a" + blank * 1_000_000 + "b"
    assert 0 < tokenizer.count(text, "o200k_base") < 100_000


def test_splitting_a_long_run_changes_a_count_by_next_to_nothing() -> None:
    text = "a" + " " * 90_000 + "b"
    whole = len(tokenizer.load("o200k_base").encode_ordinary(text))
    assert abs(tokenizer.count(text, "o200k_base") - whole) <= 2


def test_a_lone_surrogate_is_counted() -> None:
    assert tokenizer.count("a\ud800b", "o200k_base") > 0


def test_tiktokens_own_loading_is_left_alone() -> None:
    tokenizer.load("o200k_base")
    assert isinstance(tokenizer.load("o200k_base"), tiktoken.Encoding)
    assert "o200k_base" not in tiktoken.registry.ENCODINGS
