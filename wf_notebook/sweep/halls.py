"""Where rows may be done but in threads of our own: an executor, and what is to be known of its kind."""

from __future__ import annotations

import os
from concurrent.futures import BrokenExecutor, CancelledError
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import BadSetting, WorkersLost
from .suspects import TRIES

if TYPE_CHECKING:
    from collections.abc import Callable

#: How many rows at once, where an executor does not say how many places it has.
UNKNOWN = 8


class Hall(Protocol):
    """An executor of other processes; `tries` is how often a row is tried with which these die."""

    host: str
    tries: int

    @property
    def waits(self) -> str | None:
        """For what is waited while nothing can be done; None where something can."""

    def places(self) -> dict[str, int]:
        """Return how many things may be done at once in each place; raise WorkersLost when there will be none any more."""

    def submit(self, place: str, work: Callable[..., object], *given: Any) -> Any:
        """Let something be done in a place; return a future."""

    def outcome(self, future: Any) -> BaseException | None:
        """Return what went wrong with a future that is done; None for one that was cancelled, or will be done again."""

    def answer(self, future: Any) -> Any:
        """Return what a future gave that is done; None for one that gave nothing."""

    def cancel(self, future: Any) -> None:
        """Ask for something no more."""


class Pool:
    """Whatever has the interface of `concurrent.futures.Executor`; it is on this machine."""

    tries, waits = TRIES, None

    def __init__(self, executor: Any) -> None:
        self._executor = executor
        self.host = os.environ.get("WF_SWEEP_HOST", "127.0.0.1")
        self._slots = slots(executor) or UNKNOWN

    def places(self) -> dict[str, int]:
        """Return how many processes it has."""
        return {"": self._slots}

    def submit(self, place: str, work: Callable[..., object], *given: Any) -> Any:
        """Let something be done in one of its processes."""
        try:
            return self._executor.submit(work, *given)
        except (BrokenExecutor, RuntimeError) as error:
            raise WorkersLost(_broken(error)) from error

    def outcome(self, future: Any) -> BaseException | None:
        """Return what went wrong."""
        if future.cancelled():
            return None
        error: BaseException | None = future.exception()
        if isinstance(error, CancelledError):
            return None
        return WorkersLost(_broken(error)) if isinstance(error, BrokenExecutor) else error

    def answer(self, future: Any) -> Any:
        """Return what came of it."""
        return None if future.cancelled() or future.exception() is not None else future.result()

    def cancel(self, future: Any) -> None:
        """Ask for something no more."""
        future.cancel()


def _broken(error: BaseException) -> str:
    return (
        f"the executor does nothing any more ({type(error).__name__}: {str(error).rstrip('.')}); what is done is kept: "
        "make a new one, and map again, which goes on where this ended"
    )


def slots(executor: Any) -> int | None:
    """Return how many things an executor does at once, None where it does not say."""
    for name in ("_max_workers", "num_workers"):
        if isinstance(number := getattr(executor, name, None), int) and number > 0:
            return number
    return None


def is_dask(executor: Any) -> bool:
    """Return whether it is a client of Dask."""
    return any(cls.__module__.partition(".")[0] == "distributed" and cls.__name__ == "Client" for cls in type(executor).__mro__)


def checked_executor(executor: Any) -> None:
    """Refuse what is no executor. Raises BadSetting."""
    if isinstance(executor, type) or not callable(getattr(executor, "submit", None)):
        what = f"the class {executor.__name__!r}" if isinstance(executor, type) else f"of type {type(executor).__name__!r}"
        raise BadSetting(
            f"executor= is {what}; give a concurrent.futures.Executor, such as ProcessPoolExecutor(), or a distributed.Client"
        )


def hall(executor: Any) -> Hall:
    """Return an executor of other processes as a sweep deals with it."""
    if is_dask(executor):
        from .dask import Cluster

        return Cluster(executor)
    return Pool(executor)
