"""What went wrong in an agent call, in one line that names the agent and the model and says what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from pydantic_ai import exceptions as said

from ..errors import AgentFailed, ModelFailed, UnknownModel, WorkflowError
from ..redact import redact
from .retries import BrokenOff, Silence, TooLong

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .attachments import Attachment

#: How much of a model's raw text, or of another's message, is quoted, in characters.
QUOTED = 300


def explain(error: Exception, who: str, raw: str, sent: Iterable[Attachment] = ()) -> Exception:
    """Return the error to raise for `error`.

    Args:
        error: What was raised in the call.
        who: The agent, its model and the attempt.
        raw: What the model said last.
        sent: What went along with the message: it may be what a request is refused for.
    """
    if isinstance(error, WorkflowError):
        return error
    for kind, sentence in SENTENCES:
        if isinstance(error, kind):
            what = sentence(error)
            break
    else:
        what = _line(error)
    if isinstance(error, said.UnexpectedModelBehavior) and raw:
        what += f"; it said {raw[:QUOTED]!r}{'…' if len(raw) > QUOTED else ''}"
    if isinstance(error, REFUSALS) and (files := [attachment.label for attachment in sent if attachment.text is None]):
        what += f"; {', '.join(files)} went along, which not every model and provider takes"
    failure = UnknownModel if isinstance(error, said.ModelNotFoundError) else ModelFailed
    return (AgentFailed if isinstance(error, said.UserError) else failure)(redact(f"{who}: {what}"))


def _line(error: BaseException) -> str:
    """An error's message on one line, without the full stop; its type when it says nothing."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text[:QUOTED].rstrip(".")


def _root(error: BaseException) -> str:
    """What is at the bottom of the causes of `error`."""
    while (cause := error.__cause__) is not None:
        error = cause
    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, wrong['loc'])) or 'the answer'}: {wrong['msg']}" for wrong in error.errors())
    return _line(error)


def _status(error: Any) -> str:
    return str(getattr(error, "status_code", "") or _line(error))


def _refused(error: Any) -> str:
    """A request that is refused, mostly because it is too long; a llama.cpp server says by how much."""
    body = error.body if isinstance(error.body, dict) else {}
    remedy = "shorten the message, or leave history out"
    if body.get("type") == OVERFLOW:
        lengths = f"the prompt has {body['n_prompt_tokens']} tokens, and the model takes {body['n_ctx']} with the answer"
        return f"{lengths}; {remedy}"
    if isinstance(error, said.ModelContextWindowExceededError):
        return f"the prompt is too long for the model ({_line(error)}); {remedy}"
    return f"the provider refused the request ({_line(error)})"


def _unreachable(error: Any) -> str:
    if error.phase in {"pool", "connect"}:
        return f"the model's server cannot be reached ({_root(error)}); is it running?"
    return f"the connection to the model's server broke off ({_root(error)})"


def _rate(error: Any) -> str:
    wait = f"; it asks to wait {error.retry_after:g} s" if error.retry_after else ""
    return f"the provider limits the rate of requests ({_status(error)}){wait}"


def _gave_up(error: Any) -> str:
    return _line(error) if error.__cause__ is None else f"{_line(error)}: {_root(error)}"


#: How a request is refused that has something in it which the model, or how it is reached, does not take.
REFUSALS = (said.ModelRequestRejectedError, said.UserError, NotImplementedError, AssertionError, ValueError)

#: What a llama.cpp server calls it.
OVERFLOW = "exceed_context_size_error"

#: What is said of which error; the first that fits.
SENTENCES: tuple[tuple[type[Exception] | tuple[type[Exception], ...], Callable[[Any], str]], ...] = (
    (
        said.ModelAuthenticationError,
        lambda error: f"the provider refused the key ({_status(error)}); check the key's environment variable, or api_key=",
    ),
    (said.ModelNotFoundError, lambda error: f"the provider has no such model ({_line(error)}); check its name"),
    (said.ModelRequestRejectedError, _refused),
    (said.ModelQuotaExceededError, lambda error: f"the account's quota is used up ({_status(error)})"),
    (said.ModelRateLimitError, _rate),
    ((Silence, TooLong, BrokenOff), _line),
    (said.ModelTimeoutError, lambda _: "the model's server did not answer in time"),
    (said.ModelConnectionError, _unreachable),
    (said.OutputTokenLimitExceeded, lambda _: "the answer was cut off by max_tokens before it was complete"),
    (said.UnexpectedModelBehavior, _gave_up),
)
