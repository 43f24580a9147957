"""Which failures of a model's server pass by themselves, and how long to wait before the next attempt."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from pydantic_ai.exceptions import (
    ModelAPIError,
    ModelConnectionError,
    ModelQuotaExceededError,
    ModelRateLimitError,
    ModelRequestTimeout,
    ModelServerError,
    ModelTimeoutError,
    ModelUnavailableError,
    UnexpectedModelBehavior,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

#: How often a request is made again when nobody says otherwise.
RETRIES = 2

#: The first wait, doubled for each further one, and the longest, in seconds.
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0

#: Who asks to wait longer than so many seconds is not waited for.
PATIENCE = 120.0

#: Of all others, these pass.
TRANSIENT_STATUS = {408, 409, 425, 429, 500, 502, 503, 504, 529}


class BrokenOff(ModelAPIError):
    """The model's server closed a stream before the answer had come to its end."""


class Silence(ModelTimeoutError):
    """The model's server said nothing for too long."""


class TooLong(ModelTimeoutError):
    """A whole call took too long; nothing is tried again."""


#: 429; 503 and 529; 500, 502 and 504; a connection that is refused, broken off, or silent; a stream that is closed in mid-answer.
TRANSIENT = (
    ModelRateLimitError,
    ModelUnavailableError,
    ModelServerError,
    ModelConnectionError,
    ModelRequestTimeout,
    BrokenOff,
)


def passes(error: Exception) -> bool:
    """Say whether the same request may be answered a little later.

    >>> from pydantic_ai.exceptions import ModelHTTPError
    >>> passes(ModelHTTPError(503, "m")), passes(ModelHTTPError(408, "m")), passes(ModelHTTPError(401, "m"))
    (True, True, False)
    """
    if _is_unreadable(error):
        return True
    if not isinstance(error, ModelAPIError) or isinstance(error, (TooLong, ModelQuotaExceededError)):
        return False
    said: Mapping[str, str] = getattr(error, "headers", None) or {}
    if said.get("x-should-retry") == "false":  # how OpenAI and Anthropic say so
        return False
    status = getattr(error, "status_code", None)
    return (isinstance(error, TRANSIENT) or status in TRANSIENT_STATUS) and (error.retry_after or 0.0) <= PATIENCE


def _is_unreadable(error: Exception) -> bool:
    """Say whether an answer came that is none: half a piece of JSON, the page of a proxy. Subclasses are about its content."""
    undecoded = type(error) is ModelAPIError and isinstance(error.__cause__, ValueError)
    return undecoded or type(error) is UnexpectedModelBehavior


def wait_after(error: Exception, attempt: int) -> float:
    """Return how many seconds to wait after the `attempt`-th attempt failed: what the server asks for, and never less.

    >>> from pydantic_ai.exceptions import ModelHTTPError
    >>> [0.25 <= wait_after(ModelHTTPError(500, "m"), 1) <= 0.5, 8 <= wait_after(ModelHTTPError(500, "m"), 6) <= 16]
    [True, True]
    >>> 7 <= wait_after(ModelHTTPError(429, "m", headers={"retry-after": "7"}), 1) <= 7.5
    True
    """
    longest = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (attempt - 1))
    asked: float = getattr(error, "retry_after", None) or 0.0
    spread = random.uniform(0.0 if asked else longest / 2, longest)  # noqa: S311 - so that not all come back at once
    return asked + spread
