"""Hearing what pages ask: each request is done once, however often it is asked, and is always answered."""

from __future__ import annotations

import json
import os
import threading
from collections import OrderedDict
from contextlib import suppress
from math import isfinite
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from ..redact import redact
from ..storage.waiting import at_most
from .answers import answer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .answers import Op
    from .looking import Inspector

#: So many requests are answered at once, of all inspectors together.
HANDS = 4
#: So many of the last answers are known, for a page that did not hear one.
ANSWERS = 100
#: Seconds that a request waits for a file which others hold: then the page is told who, and shows it when it comes.
PATIENCE = 1.0
#: What numbers a page has: it rounds larger ones.
EXACT = 2**53
#: What is done when it is heard: it is quick, and waits neither for its turn nor for a hand that what it stops has taken.
AT_ONCE = ("look", "sql_stop")
#: Errors of the storage, after which it is looked whether anything can be read.
OF_STORAGE = ("StorageBusy", "BadStorage", "StorageFailed")


class Hearing:
    """Hears the requests of pages for one inspector; `send` brings answers to them, and may be called by any thread.

    >>> from wf_notebook.inspection import Inspector
    >>> hearing = Hearing(Inspector("memory:"), print)
    >>> hearing.hear({"id": 1, "op": "look", "to": {"view": "sql"}})
    {'id': 1, 'ok': True, 'result': None}
    """

    def __init__(
        self,
        inspector: Inspector,
        send: Callable[[dict[str, Any]], object],
        more: Mapping[str, Op] | None = None,
        *,
        failed: Callable[[], object] = lambda: None,
    ) -> None:
        self._inspector = inspector
        self._send = send
        self._more = more
        self._failed = failed
        self._lock = threading.Lock()
        #: The answer to each of the last requests, None while it is worked on.
        self._answers: OrderedDict[str, dict[str, Any] | None] = OrderedDict()

    def hear(self, message: Mapping[str, Any]) -> None:
        """Answer a request; one that was heard before is not done again."""
        key = repr(message.get("id"))
        with self._lock:
            is_known, known = key in self._answers, self._answers.get(key)
            if not is_known:
                self._answers[key] = None
        if is_known:
            self._say(known or {"id": message.get("id"), "working": True})
        elif message.get("op") in AT_ONCE:
            self._work(key, message)
        else:
            hands.do(lambda: self._work(key, message))

    def _work(self, key: str, message: Mapping[str, Any]) -> None:
        try:
            with at_most(PATIENCE):
                found = sendable(answer(self._inspector, message, self._more))
        except BaseException as error:  # noqa: BLE001 - an op that wants to end the kernel, too: the page is not left waiting
            text = redact(f"{type(error).__name__}: {error}")
            found = {"id": message.get("id"), "ok": False, "kind": type(error).__name__, "error": sendable(text)}
        with self._lock:
            self._answers[key] = found
            done = [each for each, told in self._answers.items() if told is not None]
            for each in done[:-ANSWERS]:
                del self._answers[each]
        self._say(found)
        if found.get("kind") in OF_STORAGE:
            self._failed()

    def _say(self, found: dict[str, Any]) -> None:
        with suppress(Exception):  # there is no page any more, or none that hears: it asks again
            self._send(found)


def sendable(value: Any) -> Any:
    """Return a value as it can be sent: what JSON or a page cannot hold becomes a text that says what it is.

    >>> sendable({"a": [1, float("nan")], "b": b"x", 3: 2**70})
    {'a': [1, 'nan'], 'b': "b'x'", '3': '1180591620717411303424'}
    """
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError):
        return _plain(value)
    return value


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {_plain(key if isinstance(key, str) else str(key)): _plain(each) for key, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case str():
            return value.encode("utf-8", "replace").decode("utf-8")
        case bool() | None:
            return value
        case int() | float():
            return value if -EXACT < value < EXACT or (isinstance(value, float) and isfinite(value)) else _digits(value)
    return _plain(repr(value))


def _digits(value: float) -> str:
    try:
        return str(value)
    except ValueError:  # Python writes no more than some thousands
        return f"an int of {int(value).bit_length()} bits"


class Hands:
    """A few threads that do what is given to them; they do not keep the process from ending."""

    def __init__(self) -> None:
        self.start_over()

    def start_over(self) -> None:
        """Begin without any thread, as in a forked child."""
        self._jobs: SimpleQueue[Callable[[], object]] = SimpleQueue()
        self._lock = threading.Lock()
        self._threads = self._idle = 0

    def do(self, job: Callable[[], object]) -> None:
        """Do something as soon as a hand is free."""
        with self._lock:
            if self._idle <= self._jobs.qsize() and self._threads < HANDS:
                self._threads += 1
                threading.Thread(target=self._work, name="wf_notebook-inspector", daemon=True).start()
        self._jobs.put(job)

    def _work(self) -> None:
        while True:
            with self._lock:
                self._idle += 1
            job = self._jobs.get()
            with self._lock:
                self._idle -= 1
            with suppress(BaseException):  # a job says itself what came of it
                job()


hands = Hands()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=hands.start_over)
