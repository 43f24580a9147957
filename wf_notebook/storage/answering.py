"""The process in which queries of the user's run: it answers one after the other, and ends with the process that asks."""

from __future__ import annotations

import logging
import os
import pickle
import queue
import signal
import sys
import threading
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from ..cancel import CancelToken
from ..run import logger
from .asking import Answer, Bounds, needs_more, wrong

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .apart import Request

#: After so many seconds without a request it ends: the next query starts another one.
IDLE = 300.0
#: The address space that the process may have beside what a query may take, in bytes: the libraries, their threads, the answer.
ROOM = 2_000_000_000
#: Whose classes may be those of parameters.
_KNOWN = {"builtins", "datetime", "decimal", "uuid", "zoneinfo", "numpy", "pandas", "pytz", "dateutil", "_codecs"}


class _Values(pickle.Unpickler):
    """Reads parameters, without running modules of the user's."""

    def find_class(self, module: str, name: str) -> Any:
        if module.partition(".")[0] not in _KNOWN:
            raise TypeError(f"a parameter is of type {name!r}")
        return super().find_class(module, name)


class Answering:
    """Requests as they come, and what is said to them."""

    def __init__(self, requests: BinaryIO, answers: BinaryIO) -> None:
        self._requests, self._answers = requests, answers
        self._waiting: queue.SimpleQueue[tuple[Request, CancelToken]] = queue.SimpleQueue()

    def listen(self) -> None:
        """Take what comes: a request, or nothing, which stops the one of that number; at the end, end."""
        last, stop = 0, CancelToken()
        with suppress(EOFError, OSError):
            while True:
                number, request = pickle.load(self._requests)  # noqa: S301 - the process that started this one wrote it
                if request is not None:
                    last, stop = number, CancelToken()
                    self._waiting.put((request, stop))
                elif number == last:
                    stop.cancel()
        os._exit(0)  # whatever the query does

    def answer(self) -> None:
        """Answer requests, until none have come for long, or one took all the memory there is."""
        goes_on = True
        while goes_on:
            try:
                request, stop = self._waiting.get(timeout=IDLE)
            except queue.Empty:
                return
            try:
                self.say("answered", self._answered(request, stop))
            except MemoryError:
                goes_on = False
                self.say("raised", needs_more(request.takes[-1]))
            except Exception as error:  # noqa: BLE001 - carried over to who asked
                self.say("raised", error)

    def _answered(self, request: Request, stop: CancelToken) -> Answer:
        bounds = Bounds(*request.takes, stop=stop, at_work=self._at_work)
        _take_at_most(bounds.memory + ROOM)
        try:
            parameters = _Values(BytesIO(request.parameters)).load()
        except (TypeError, ImportError, AttributeError) as error:
            raise wrong(error) from None
        return _answer(request, parameters, bounds)

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        self.say("began")
        yield
        self.say("ended")

    def say(self, kind: str, told: object = None) -> None:
        """Say something to the process that asks."""
        self._answers.write(pickle.dumps((kind, told)))  # all or nothing of it
        self._answers.flush()


def _answer(request: Request, parameters: Sequence[Any], bounds: Bounds) -> Answer:
    if request.kind == "duckdb":
        from . import duckdb_asked

        return duckdb_asked.alone(request, parameters, bounds, given_up=bounds.stop)
    if request.kind == "sqlite":
        from .sqlite import SqliteWorkflowStorage

        with SqliteWorkflowStorage(db_file=request.path) as storage:
            return storage.ask_here(request.query, parameters, bounds)
    from . import sqlite_asked

    return sqlite_asked.copied(request.database, request.query, parameters, bounds)


class _Saying(logging.Handler):
    """Lets the process that asks say what is to be said."""

    def __init__(self, answering: Answering) -> None:
        super().__init__()
        self._answering = answering

    def emit(self, record: logging.LogRecord) -> None:
        self._answering.say("said", record.getMessage())


def _take_at_most(size: int) -> None:
    """Have so much address space at most, where the system knows of that."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (size if hard == resource.RLIM_INFINITY else min(size, hard), hard))


def main() -> None:
    """Answer what comes on the standard input, on the standard output."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(OSError):  # where the machine has no memory left, Linux ends this process and not the kernel
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # nobody else speaks there
    answering = Answering(sys.stdin.buffer, answers)
    logger.handlers, logger.propagate = [_Saying(answering)], False
    threading.Thread(target=answering.listen, daemon=True).start()
    answering.answer()
    os._exit(0)


if __name__ == "__main__":
    main()
