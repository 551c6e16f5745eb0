from __future__ import annotations

import copy
import logging
import pickle
import traceback

import pytest

from valechat.keys import Key
from valechat.keys.secret import clean_key

KEY = Key("openai", "sk-canary", "keychain")


def test_a_key_is_revealed_only_when_asked() -> None:
    assert KEY.reveal() == "sk-canary"


@pytest.mark.parametrize(
    "shown",
    [
        repr(KEY),
        str(KEY),
        f"{KEY}",
        f"{KEY!r:>60}",
        repr([KEY]),
        repr({"key": KEY}),
        repr(copy.deepcopy(KEY)),
    ],
)
def test_no_way_to_write_a_key_down_shows_it(shown: str) -> None:
    assert "canary" not in shown
    assert "<Key of openai from keychain>" in shown


def test_a_key_is_not_in_a_log(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("valechat").warning("using %s, %r", KEY, KEY)
    assert "canary" not in caplog.text


def test_a_key_is_not_in_a_traceback_with_its_variables() -> None:
    def fail(key: Key) -> None:
        raise ValueError(key)

    with pytest.raises(ValueError) as caught:
        fail(KEY)
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert "<Key of openai from keychain>" in shown
    assert "canary" not in shown


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_key_cannot_be_pickled(protocol: int) -> None:
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(KEY, protocol)


def test_a_key_has_no_attributes_that_hold_it() -> None:
    assert not hasattr(KEY, "__dict__")
    assert "sk-canary" not in [getattr(KEY, name) for name in Key.__slots__]


@pytest.mark.parametrize(
    ("text", "key"), [(" sk-1\n", "sk-1"), ("", None), ("a b", None), ("sk-ü", None), ("a\x00b", None), ("a\nb", None)]
)
def test_a_copied_key_is_trimmed_and_an_impossible_one_refused(text: str, key: str | None) -> None:
    assert clean_key(text) == key
