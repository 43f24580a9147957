"""What went wrong in an agent call, in one line that names the agent and the model and says what to do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydantic_ai import exceptions as said

from ..errors import AgentFailed, ModelFailed, UnknownModel, WorkflowError
from ..redact import redact

if TYPE_CHECKING:
    from .resolve import Resolved

#: How much of a model's raw text a message quotes, in characters.
QUOTED = 300


def explain(error: Exception, agent: str, model: Resolved, raw: str) -> Exception:
    """Return the error to raise for `error`; `raw` is what the model said last."""
    if isinstance(error, WorkflowError):
        return error
    who = f"{agent} on {model.name!r}"
    if isinstance(error, said.UserError):
        return AgentFailed(redact(f"{who}: {_line(error)}"))
    if isinstance(error, said.ModelNotFoundError):
        return UnknownModel(redact(f"{who}: the provider has no model {error.model_name!r}: {_line(error)}"))
    return ModelFailed(redact(f"{who}: {_what(error, raw)}"))


def _what(error: Exception, raw: str) -> str:
    if isinstance(error, said.ModelContextWindowExceededError):
        return f"the prompt is too long{_tokens(error.body)}; shorten the message or leave history out"
    if isinstance(error, said.ModelAuthenticationError):
        return f"the provider refused the key ({_status(error)}); check the key's environment variable or api_key="
    if isinstance(error, said.ModelQuotaExceededError):
        return f"the account's quota is used up ({_status(error)})"
    if isinstance(error, said.ModelRateLimitError):
        wait = f"; it asks to wait {error.retry_after:g} s" if error.retry_after else ""
        return f"the provider limits the rate of requests ({_status(error)}){wait}"
    if isinstance(error, said.ModelTimeoutError):
        return "the model's server did not answer in time"
    if isinstance(error, said.ModelConnectionError):
        if error.phase in {"pool", "connect"}:
            return f"the model's server cannot be reached ({_root(error)}); is it running?"
        return f"the connection to the model's server broke off ({_root(error)})"
    if isinstance(error, said.OutputTokenLimitExceeded):
        return f"the answer was cut off at the limit of tokens{_quoted(raw)}"
    if isinstance(error, said.UnexpectedModelBehavior):
        return f"{_line(error)}{_root(error, ': ')}{_quoted(raw)}"
    return _line(error)


def _line(error: BaseException) -> str:
    """The first line of an error, without the full stop; its type when it says nothing."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text[:QUOTED].rstrip(".")


def _root(error: BaseException, before: str = "") -> str:
    """The error at the bottom of the causes of `error`."""
    while (cause := error.__cause__) is not None:
        error = cause
    return f"{before}{_line(error)}"


def _status(error: said.ModelAPIError) -> str:
    return str(getattr(error, "status_code", "") or _line(error))


def _quoted(raw: str) -> str:
    return f"; it said {raw[:QUOTED]!r}{'…' if len(raw) > QUOTED else ''}" if raw else ""


def _tokens(body: object) -> str:
    """What a llama.cpp server, or anybody's message, says about the lengths."""
    if isinstance(body, dict) and "n_prompt_tokens" in body:
        return f": it has {body['n_prompt_tokens']} tokens, and the model takes {body.get('n_ctx')}, the answer included"
    numbers = re.findall(r"\b\d{3,}\b", str(body))
    return f" ({' against '.join(numbers[:2])} tokens)" if numbers else ""
