"""Names of models as the old API has them: `OpenAIChat(id="gpt-4o")` only describes a model; nothing is loaded before a call."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar

from .agents.limits import limit
from .prices import price
from .redact import register_secret

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import SecretStr

__all__ = [
    "Claude",
    "Cohere",
    "DeepSeek",
    "Fireworks",
    "Gemini",
    "Groq",
    "HuggingFace",
    "Mistral",
    "MistralChat",
    "Ollama",
    "OpenAIChat",
    "OpenAILike",
    "OpenRouter",
    "Together",
    "limit",
    "price",
    "xAI",
]


def _setting(name: str) -> Any:
    """A field that is a setting of the request, as pydantic-ai names it; None is not sent."""
    return field(default=None, kw_only=True, metadata={"setting": name})


@dataclass(frozen=True)
class _Model:
    """What a model is called, who serves it, and how it is set; two equal descriptions are one model."""

    id: str
    api_key: str | SecretStr | None = field(default=None, repr=False, kw_only=True)
    base_url: str | None = field(default=None, kw_only=True)
    temperature: float | None = _setting("temperature")
    max_tokens: int | None = _setting("max_tokens")
    top_p: float | None = _setting("top_p")
    seed: int | None = _setting("seed")
    stop: str | Sequence[str] | None = _setting("stop_sequences")
    presence_penalty: float | None = _setting("presence_penalty")
    frequency_penalty: float | None = _setting("frequency_penalty")
    timeout: float | None = _setting("timeout")

    #: Who serves it, as pydantic-ai names it, and where the key comes from when it is not given.
    provider: ClassVar[str]
    key_variable: ClassVar[str]

    def __post_init__(self) -> None:
        if self.api_key is not None:
            register_secret("api_key", self.api_key)
        if self.stop is not None:
            object.__setattr__(self, "stop", (self.stop,) if isinstance(self.stop, str) else tuple(self.stop))

    def __repr__(self) -> str:
        given = [f"{f.name}={value!r}" for f in fields(self)[1:] if f.repr and (value := getattr(self, f.name)) is not None]
        secret = ["api_key=<redacted>"] if self.api_key is not None else []
        return f"{type(self).__name__}({', '.join([repr(self.id), *secret, *given])})"

    @property
    def connection(self) -> dict[str, str]:
        """How it is reached: what was given of `api_key` and `base_url`."""
        key = self.api_key if self.api_key is None or isinstance(self.api_key, str) else self.api_key.get_secret_value()
        return {name: value for name, value in (("api_key", key), ("base_url", self.base_url)) if value is not None}

    @property
    def settings(self) -> dict[str, Any]:
        """How it is set: what was given of temperature and the like, as pydantic-ai names it."""
        given: dict[str, Any] = {}
        for f in fields(self):
            value = getattr(self, f.name)
            if value is not None and "setting" in f.metadata:
                given.setdefault(f.metadata["setting"], list(value) if isinstance(value, tuple) else value)
        return given


@dataclass(frozen=True, repr=False)
class OpenAIChat(_Model):
    """A model of OpenAI.

    >>> OpenAIChat(id="gpt-4o", api_key="sk-not-a-real-key", temperature=0)
    OpenAIChat('gpt-4o', api_key=<redacted>, temperature=0)
    """

    id: str = "gpt-4o"
    max_completion_tokens: int | None = _setting("max_tokens")
    reasoning_effort: str | None = _setting("openai_reasoning_effort")
    provider: ClassVar[str] = "openai-chat"
    key_variable: ClassVar[str] = "OPENAI_API_KEY"


@dataclass(frozen=True, repr=False)
class OpenAILike(OpenAIChat):
    """Any server that speaks OpenAI's language: `OpenAILike("my-model", base_url="http://localhost:8000/v1", api_key="none")`."""

    id: str = "not-provided"
    api_key: str | SecretStr | None = field(default="not-provided", repr=False, kw_only=True)


@dataclass(frozen=True, repr=False)
class Claude(_Model):
    """A model of Anthropic."""

    id: str = "claude-sonnet-5-5"
    max_tokens: int | None = field(default=1024, kw_only=True, metadata={"setting": "max_tokens"})
    top_k: int | None = _setting("top_k")
    provider: ClassVar[str] = "anthropic"
    key_variable: ClassVar[str] = "ANTHROPIC_API_KEY"


@dataclass(frozen=True, repr=False)
class Gemini(_Model):
    """A model of Google."""

    id: str = "gemini-3.8-flash"
    max_output_tokens: int | None = _setting("max_tokens")
    top_k: int | None = _setting("top_k")
    provider: ClassVar[str] = "google"
    key_variable: ClassVar[str] = "GOOGLE_API_KEY"


@dataclass(frozen=True, repr=False)
class Groq(_Model):
    """A model served by Groq."""

    id: str = "llama-3.3-70b-versatile"
    provider: ClassVar[str] = "groq"
    key_variable: ClassVar[str] = "GROQ_API_KEY"


@dataclass(frozen=True, repr=False)
class Ollama(_Model):
    """A model served by Ollama, on this machine when no `host` is given."""

    id: str = "llama3.1"
    host: str | None = field(default=None, kw_only=True)
    provider: ClassVar[str] = "ollama"
    key_variable: ClassVar[str] = "OLLAMA_BASE_URL"

    @property
    def connection(self) -> dict[str, str]:
        """How it is reached; a `host` is the server's address without `/v1`."""
        at_host = {"base_url": f"{self.host.rstrip('/')}/v1"} if self.host else {}
        return at_host | super().connection


@dataclass(frozen=True, repr=False)
class DeepSeek(_Model):
    """A model of DeepSeek."""

    id: str = "deepseek-chat"
    provider: ClassVar[str] = "deepseek"
    key_variable: ClassVar[str] = "DEEPSEEK_API_KEY"


@dataclass(frozen=True, repr=False)
class MistralChat(_Model):
    """A model of Mistral."""

    id: str = "mistral-large-latest"
    provider: ClassVar[str] = "mistral"
    key_variable: ClassVar[str] = "MISTRAL_API_KEY"


Mistral = MistralChat


@dataclass(frozen=True, repr=False)
class xAI(_Model):  # noqa: N801 - its name in the old API
    """A model of xAI."""

    id: str = "grok-4.3"
    provider: ClassVar[str] = "xai"
    key_variable: ClassVar[str] = "XAI_API_KEY"


@dataclass(frozen=True, repr=False)
class OpenRouter(_Model):
    """A model served by OpenRouter."""

    id: str = "openai/gpt-4o"
    provider: ClassVar[str] = "openrouter"
    key_variable: ClassVar[str] = "OPENROUTER_API_KEY"


@dataclass(frozen=True, repr=False)
class Together(_Model):
    """A model served by Together."""

    id: str = "mistralai/Mixtral-8x7B-Instruct-v0.1"
    provider: ClassVar[str] = "together"
    key_variable: ClassVar[str] = "TOGETHER_API_KEY"


@dataclass(frozen=True, repr=False)
class Cohere(_Model):
    """A model of Cohere."""

    id: str = "command-r-plus-08-2024"
    provider: ClassVar[str] = "cohere"
    key_variable: ClassVar[str] = "CO_API_KEY"


@dataclass(frozen=True, repr=False)
class Fireworks(_Model):
    """A model served by Fireworks."""

    id: str = "accounts/fireworks/models/llama-v3p1-405b-instruct"
    provider: ClassVar[str] = "fireworks"
    key_variable: ClassVar[str] = "FIREWORKS_API_KEY"


@dataclass(frozen=True, repr=False)
class HuggingFace(_Model):
    """A model served by Hugging Face."""

    id: str = "meta-llama/Llama-3.3-70B-Instruct"
    provider: ClassVar[str] = "huggingface"
    key_variable: ClassVar[str] = "HF_TOKEN"


#: One kind of model for each provider, in the order that `wf models` lists them.
PROVIDERS: tuple[type[_Model], ...] = (
    OpenAIChat,
    Claude,
    Gemini,
    Groq,
    MistralChat,
    DeepSeek,
    xAI,
    OpenRouter,
    Together,
    Cohere,
    Fireworks,
    HuggingFace,
    Ollama,
)
