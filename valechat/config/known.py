"""The providers that need no entry in `config.toml`.

Addresses and variables are the ones each provider documents for its own API.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["DEMO", "KNOWN", "Kind", "KnownProvider"]

Kind = Literal["openai", "anthropic", "gemini", "openrouter", "ollama", "lmstudio", "openai-compatible"]

DEMO = "demo"
"""The name of the demonstration, whose server ValeChat starts itself."""


@dataclass(frozen=True, slots=True)
class KnownProvider:
    """A provider by its usual name.

    Attributes:
        kind: The wire it speaks.
        base_url: Where its API is.
        variables: Environment variables its key is usually in, the first one preferred.
        local: A server on this machine, which needs no key.
    """

    kind: Kind
    base_url: str
    variables: tuple[str, ...] = ()
    local: bool = False


KNOWN: dict[str, KnownProvider] = {
    # Its port is chosen when it is started.
    DEMO: KnownProvider("openai-compatible", "http://127.0.0.1", local=True),
    "openai": KnownProvider("openai", "https://api.openai.com/v1", ("OPENAI_API_KEY",)),
    "anthropic": KnownProvider("anthropic", "https://api.anthropic.com", ("ANTHROPIC_API_KEY",)),
    "gemini": KnownProvider(
        "gemini", "https://generativelanguage.googleapis.com/v1beta", ("GEMINI_API_KEY", "GOOGLE_API_KEY")
    ),
    "openrouter": KnownProvider("openrouter", "https://openrouter.ai/api/v1", ("OPENROUTER_API_KEY",)),
    "ollama": KnownProvider("ollama", "http://127.0.0.1:11434", local=True),
    "lmstudio": KnownProvider("lmstudio", "http://127.0.0.1:1234/v1", local=True),
    "cerebras": KnownProvider("openai-compatible", "https://api.cerebras.ai/v1", ("CEREBRAS_API_KEY",)),
    "deepseek": KnownProvider("openai-compatible", "https://api.deepseek.com/v1", ("DEEPSEEK_API_KEY",)),
    "fireworks": KnownProvider("openai-compatible", "https://api.fireworks.ai/inference/v1", ("FIREWORKS_API_KEY",)),
    "groq": KnownProvider("openai-compatible", "https://api.groq.com/openai/v1", ("GROQ_API_KEY",)),
    "huggingface": KnownProvider(
        "openai-compatible", "https://router.huggingface.co/v1", ("HF_TOKEN", "HUGGINGFACE_API_KEY")
    ),
    "mistral": KnownProvider("openai-compatible", "https://api.mistral.ai/v1", ("MISTRAL_API_KEY",)),
    "together": KnownProvider("openai-compatible", "https://api.together.xyz/v1", ("TOGETHER_API_KEY",)),
    "xai": KnownProvider("openai-compatible", "https://api.x.ai/v1", ("XAI_API_KEY",)),
}
