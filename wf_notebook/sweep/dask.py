"""Dask as an executor: its workers are places, of which some go and others come, and its scheduler may be away for a while."""

from __future__ import annotations

import os
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..errors import BadSetting, WorkersLost
from .suspects import TRIES

if TYPE_CHECKING:
    from collections.abc import Callable

#: How long is waited for a scheduler that is away, in seconds, and how long it may take to answer.
PATIENCE, ANSWER = 60.0, 5.0
#: How long is waited where all workers are gone, in seconds: for those that come back, and where the cluster has let them go.
NOBODY, LET_GO = 300.0, 30.0
#: Where nothing can be done for longer than this, it is said, in seconds.
SAID = 2.0
#: What is said of a client that is of no use any more.
_CLOSED = "this client of Dask is closed, or its cluster; what is done is kept: map again with a new Client, which goes on"


class Cluster:
    """A cluster of Dask."""

    def __init__(self, client: Any) -> None:
        if client.asynchronous:
            raise BadSetting("executor= is an asynchronous client; give one that waits: Client(address)")
        self._client = client
        if self._is_closed:
            raise WorkersLost(_CLOSED)
        self.host = os.environ.get("WF_SWEEP_HOST") or _host(client)
        self.tries = 1 + _allowed_failures()
        #: Since when the scheduler is away, and since when there is no worker; whether there was one.
        self._away_since: float | None = None
        self._nobody_since: float | None = None
        self._had_workers = False

    def places(self) -> dict[str, int]:
        """Return the threads of each worker, by its address; while the scheduler is away, as it was."""
        try:
            told = self._client.sync(self._client.scheduler.ncores, callback_timeout=ANSWER)
        except (OSError, TimeoutError, AttributeError, RuntimeError, ValueError) as error:
            self._is_away(error)
            return {}
        self._away_since = None
        if told:
            self._nobody_since, self._had_workers = None, True
            return dict(told)
        self._nobody_is_there()
        return {"": 1}  # a cluster that grows where there is something to do

    @property
    def waits(self) -> str | None:
        """For what is waited while nothing can be done."""
        now = monotonic()
        if self._away_since is not None and now - self._away_since > SAID:
            return "its scheduler, which is away"
        return "a worker: none is there" if self._nobody_since is not None and now - self._nobody_since > SAID else None

    @property
    def _is_closed(self) -> bool:
        return self._client.status in {"closed", "closing"}

    def _is_away(self, error: BaseException) -> None:
        self._away_since = self._away_since or monotonic()
        if self._is_closed:
            raise WorkersLost(_CLOSED) from error
        if monotonic() - self._away_since > PATIENCE:
            raise WorkersLost(
                f"the scheduler of Dask does not come back ({type(error).__name__}: {error}); what is done is kept: "
                "start it again, and map again with a new Client, which goes on where this ended"
            ) from error

    def _nobody_is_there(self) -> None:
        """No worker is there: one that has not come yet is waited for as long as it takes, as some are queued for hours."""
        self._nobody_since = self._nobody_since or monotonic()
        patience = LET_GO if self._has_let_go else NOBODY
        if self._had_workers and monotonic() - self._nobody_since > patience:
            raise WorkersLost(
                f"all workers of Dask are gone, and none came for {patience:g} s; what is done is kept: "
                "start workers, cluster.scale(2) does, and map again, which goes on where this ended"
            )

    @property
    def _has_let_go(self) -> bool:
        """Whether the cluster was begun here and has let its workers go, as one does that are away for some seconds."""
        cluster = self._client.cluster
        return getattr(cluster, "workers", None) == {} and getattr(cluster, "_adaptive", None) is None

    def submit(self, place: str, work: Callable[..., object], *given: Any) -> Any:
        """Let something be done by a worker."""
        where = {"workers": [place], "allow_other_workers": False} if place else {}
        try:
            return self._client.submit(work, *given, pure=False, **where)
        except Exception as error:
            if self._is_closed:
                raise WorkersLost(_CLOSED) from error
            raise

    def outcome(self, future: Any) -> BaseException | None:
        """Return what went wrong: not that a worker died, or that nobody knows of it any more."""
        from distributed.client import FutureCancelledError
        from distributed.scheduler import KilledWorker

        if self._is_closed:
            return WorkersLost(_CLOSED)
        if future.status != "error":
            return None
        error: BaseException | None = future.exception(timeout=ANSWER)
        return None if isinstance(error, KilledWorker | FutureCancelledError) else error

    def answer(self, future: Any) -> Any:
        """Return what came of it."""
        return future.result(timeout=ANSWER) if future.status == "finished" else None

    def cancel(self, future: Any) -> None:
        """Ask for something no more."""
        with suppress(Exception):  # a scheduler that is gone knows of nothing
            future.cancel()


def _allowed_failures() -> int:
    """Return how often Dask itself tries again what its workers die of."""
    import dask

    allowed: int = dask.config.get("distributed.scheduler.allowed-failures", TRIES - 1)
    return max(0, allowed)


def _host(client: Any) -> str:
    """Return how the workers reach this process: by the address from which it reaches the scheduler."""
    from distributed.utils import get_ip

    reached = urlsplit(client.scheduler.address).hostname if "://" in client.scheduler.address else None
    if client.scheduler.address.startswith("inproc") or reached in {None, "localhost", "127.0.0.1", "::1"}:
        return "127.0.0.1"
    address: str = get_ip(reached)
    return address
