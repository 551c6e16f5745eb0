from __future__ import annotations

from valechat.providers._loading import LOADING_SECONDS, patient
from valechat.providers._setup import Setup


def test_a_model_is_given_time_to_be_loaded() -> None:
    assert patient(Setup("ollama", "http://127.0.0.1")).timeout == LOADING_SECONDS


def test_a_timeout_that_was_set_stays() -> None:
    assert patient(Setup("ollama", "http://127.0.0.1", timeout=5)).timeout == 5
