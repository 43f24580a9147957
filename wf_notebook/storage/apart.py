"""A query of the user's in a process of its own: it can be ended whatever it does, and what it takes is not the kernel's.

A database hears an interrupt between two of its steps; one call of a function, such as one that makes a text of gigabytes, hears
nothing, and no limit of the database counts what it takes. So there is a process that does nothing else: it is started by the
first query and asked again by the next ones, it may have so much memory, and it is killed when it does not end otherwise.
"""

from __future__ import annotations

import atexit
import os
import pickle
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ..errors import BadQuery
from ..run import logger
from .asking import stopped, too_slow, wrong

if TYPE_CHECKING:
    from collections.abc import Sequence
    from io import FileIO

    from ..cancel import CancelToken
    from .asking import Answer, Bounds

#: How long a query may go on that was told to end, in seconds.
GRACE = 0.2
#: What is run: it reads requests from its standard input, and answers on its standard output.
_ANSWERING = f"{__package__}.answering"

#: What keeps the interrupts of a kernel away where there are no sessions.
if sys.platform == "win32":
    _NEW_GROUP = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
else:
    _NEW_GROUP = 0


class NoProcess(Exception):
    """There can be no process of our own here."""


class _Ended(Exception):
    """A process that had nothing to do has ended."""


@dataclass(frozen=True, slots=True)
class Request:
    """A query of the user's as it is told to another process: what it may take as Bounds without their Stop."""

    kind: str
    path: Path
    query: str
    parameters: bytes
    patience: float
    takes: tuple[float, int, int, int]
    #: The process that asks: what that holds is its own.
    asker: int
    #: A copy of a database that lies in no file.
    database: bytes = b""

    @classmethod
    def of(
        cls, kind: str, path: Path, query: str, parameters: Sequence[Any], bounds: Bounds, *,
        patience: float = 0.0, database: bytes = b"",
    ) -> Request:  # fmt: skip
        """Return the request. Raises BadQuery for parameters that cannot be told."""
        try:
            values = pickle.dumps(parameters)
        except Exception as error:  # noqa: BLE001 - whatever a class of the user's raises
            raise wrong(Exception(f"the parameters cannot be given ({error})")) from None
        takes = (bounds.seconds, bounds.rows, bounds.size, bounds.memory)
        return cls(kind, path, query, values, patience, takes, os.getpid(), database)


@dataclass(slots=True)
class _Asked:
    """What a process was asked for: whether it is done, and why the process was killed."""

    number: int
    done: threading.Event = field(default_factory=threading.Event)
    ending: threading.Lock = field(default_factory=threading.Lock)
    why: BadQuery | None = None


class Process:
    """A process that answers one request at a time."""

    def __init__(self) -> None:
        try:
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter, with a module of ours
                [sys.executable, "-P", "-m", _ANSWERING],
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_environment(),
                start_new_session=True,  # an interrupt of the kernel does not reach it
                creationflags=_NEW_GROUP,
            )
        except (OSError, ValueError, RuntimeError) as error:  # no interpreter, or this one is ending
            raise NoProcess from error
        self._input, self._output = cast("FileIO", self._process.stdin), cast("FileIO", self._process.stdout)
        self._answers = BufferedReader(self._output)
        self._sending = threading.Lock()
        self._number = 0
        self._is_there = False  # it has said something
        #: Whether it waits for a request.
        self.is_free = False

    def ask(self, request: Request, *, given_up: CancelToken) -> Answer:
        """Return the answer to a request, or raise what it gives instead of one."""
        self._number += 1
        self.is_free = False
        asked = _Asked(self._number)
        too_late = threading.Timer(request.takes[0] + GRACE, self._kill, (asked, too_slow(request.takes[0])))
        too_late.daemon = True
        forget = given_up.on_cancel(lambda: threading.Thread(target=self._stop, args=(asked,), daemon=True).start())
        try:
            self._send(asked.number, request)
            return self._heard(too_late)
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            if self.is_free:
                raise  # it is what was answered
            raise self._reason(asked) from None if asked.why else error
        finally:
            with asked.ending:
                asked.done.set()
            forget()
            too_late.cancel()

    def _heard(self, too_late: threading.Timer) -> Answer:
        while True:
            kind, told = pickle.load(self._answers)  # noqa: S301 - a process of our own wrote it
            self._is_there = True
            match kind:
                case "began":
                    too_late.start()
                case "ended":
                    too_late.cancel()
                case "said":
                    logger.warning("%s", told)
                case "raised":
                    self.is_free = True
                    raise told
                case "answered":
                    self.is_free = True
                    return cast("Answer", told)

    def _send(self, number: int, request: Request | None) -> None:
        rest = memoryview(pickle.dumps((number, request)))
        with self._sending:
            while rest:
                rest = rest[self._input.write(rest) :]

    def _stop(self, asked: _Asked) -> None:
        """Let the query be interrupted, and kill the process if that does not help."""
        interrupting = threading.Thread(target=self._interrupt, args=(asked,), daemon=True)
        interrupting.start()  # on its own, as a full pipe holds it up
        if not asked.done.wait(GRACE):
            self._kill(asked, stopped())

    def _interrupt(self, asked: _Asked) -> None:
        with suppress(OSError, ValueError):  # it has ended
            self._send(asked.number, None)

    def _kill(self, asked: _Asked, why: BadQuery) -> None:
        with asked.ending:
            if not asked.done.is_set():
                asked.why = why
                self._process.kill()

    def _reason(self, asked: _Asked) -> Exception:
        """Return why it is not there any more."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(1)
        if asked.why:
            return asked.why
        if not self._is_there:
            return NoProcess()
        if self._process.poll() == 0:
            return _Ended()
        return BadQuery(
            "the process in which the query ran was ended from outside, as the system does where memory runs out; "
            "ask for less, or run it again"
        )

    def end(self) -> None:
        """End it at once: it has nothing that could be lost."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._input, self._answers):
            with suppress(OSError):
                pipe.close()

    def forget(self) -> None:
        """In a forked child: it is the parent's, and ends with that, however long this child lives."""
        with open(os.devnull, "r+b", buffering=0) as nothing:  # noqa: PTH123 - a device
            for pipe in (self._input, self._output):
                os.dup2(nothing.fileno(), pipe.fileno(), inheritable=False)
        self._process.returncode = 0  # nothing to wait for


def _environment() -> dict[str, str]:
    """Return an environment in which this package is found, also where only this process knows its place."""
    place = Path(__file__).parents[2]
    if place.name in {"site-packages", "dist-packages"}:
        return {**os.environ}
    others = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(place), *([others] if others else [])])}


_all: set[Process] = set()
_free: list[Process] = []
_of_the_parent: list[Process] = []


def ask(request: Request, *, given_up: CancelToken) -> Answer:
    """Return the answer to a request, from a process that is free or a new one.

    Raises what the query gives instead of an answer, BadQuery when it or its process was ended, and NoProcess where no process
    of our own can be started.
    """
    while not given_up.cancelled:
        try:
            process = _free.pop()
        except IndexError:
            _all.add(process := Process())
        try:
            return process.ask(request, given_up=given_up)
        except _Ended:  # nobody asked it for long
            continue
        finally:
            if process.is_free and not _free:
                _free.append(process)
            else:  # also when the wait was interrupted
                _all.discard(process)
                process.end()
    raise stopped()


def end_all() -> None:
    """End all processes; the next query starts another one."""
    _free.clear()
    while _all:
        _all.pop().end()


def _forget_all() -> None:
    for process in _all:
        process.forget()
    _of_the_parent.extend(_all)
    _all.clear()
    _free.clear()


atexit.register(end_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
