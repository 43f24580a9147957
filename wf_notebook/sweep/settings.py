"""How a sweep is done: how many rows at once, for how long, where they are kept, and what they may spend."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ..budget import checked_limit
from ..errors import BadSetting
from .halls import checked_executor

if TYPE_CHECKING:
    from ..cache import Mode


@dataclass(frozen=True, slots=True)
class Settings:
    """How a sweep is done."""

    name: str
    limit: int | None
    timeout: float | None
    session: Literal["each", "one"]
    cache: Mode
    max_tokens: int | None
    max_cost: float | None
    executor: Any

    def __post_init__(self) -> None:
        """Refuse settings that make no sense, before anything begins."""
        limit, timeout, session = self.limit, self.timeout, self.session
        if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 1):
            raise BadSetting(f"limit={limit!r} is not how many rows may be done at once; give a whole number from 1 on")
        if timeout is not None and not (isinstance(timeout, int | float) and timeout > 0):
            raise BadSetting(f"timeout={timeout!r} is not how long a row may take; give seconds as a number above 0, or None")
        checked_limit("max_tokens", self.max_tokens)
        checked_limit("max_cost", self.max_cost)
        if session not in ("each", "one"):
            raise BadSetting(f"session={session!r} is not where rows are kept; give 'each' (a session for each) or 'one'")
        if self.executor is not None:
            checked_executor(self.executor)
        if self.is_away and session == "one":
            raise BadSetting("session='one' is the state of one process, and the executor has others; leave it out")

    @property
    def is_away(self) -> bool:
        """Whether rows are done by other processes."""
        return self.executor is not None and not isinstance(self.executor, ThreadPoolExecutor)
