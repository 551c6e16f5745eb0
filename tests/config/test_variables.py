from __future__ import annotations

import pytest
from pydantic import SecretStr

from valechat.config import resolve, variables_in
from valechat.errors import ConfigError


def test_each_variable_is_replaced_and_the_rest_is_kept() -> None:
    assert resolve("Bearer ${A}-${B} $C {D}", {"A": "1", "B": "2"}) == "Bearer 1-2 $C {D}"


def test_what_a_variable_holds_is_not_looked_at_again() -> None:
    assert resolve("${A}", {"A": "${B}", "B": "2"}) == "${B}"


def test_a_hidden_setting_is_resolved_too() -> None:
    assert resolve(SecretStr("${A}"), {"A": "1"}) == "1"
    assert variables_in(SecretStr("${A}${B}")) == ("A", "B")


@pytest.mark.parametrize("environ", [{}, {"MYLAB_KEY": ""}])
def test_a_missing_or_empty_variable_is_named_with_its_setting(environ: dict[str, str]) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve("${MYLAB_KEY}", environ, setting="providers.mylab.api_key")
    assert caught.value.message == (
        "The environment variable MYLAB_KEY, which providers.mylab.api_key refers to, is not set."
    )
    assert "Set MYLAB_KEY" in caught.value.fix


def test_the_process_own_variables_are_read_as_they_are_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYLAB_KEY", "now")
    assert resolve("${MYLAB_KEY}") == "now"
