"""How much at once is asked of a model: so many calls at a time, so many a minute, for all threads of the process together."""

from __future__ import annotations

import asyncio
import logging
import os
import weakref
from collections import deque
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from ..run import logger

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

#: How many calls of one model go on at a time when nobody says otherwise.
CONCURRENCY = 8

#: The minute of `requests_per_minute`, in seconds.
MINUTE = 60.0

#: A wait that is longer is said, in seconds.
SILENT = 1.0

#: Where the models of functions are: a name says nothing of them.
OF_FUNCTIONS = ("pydantic_ai.models.function", "pydantic_ai.models.test")

#: Names under which one and the same model is reached.
SPELLINGS = {"openai-chat": "openai", "openai-responses": "openai", "google-gla": "google", "google-vertex": "google"}


@dataclass(frozen=True)
class Limits:
    """What is asked of one model at most; None is no limit."""

    concurrency: int | None = CONCURRENCY
    requests_per_minute: float | None = None


#: What the user set, by the name of the model.
_set: dict[str, Limits] = {}

#: The models of functions that were named here, by their `id`: two of them may have one name, and are two models all the same.
_functions: dict[int, str] = {}
_numbers = count(1)

#: The gates of this process, by the name of the model and the address of its server; only the background loop uses them.
_gates: dict[tuple[str, str | None], Gate] = {}


def limit(model: object, *, concurrency: int | None = None, requests_per_minute: float | None = None) -> None:
    """Limit how much is asked of a model at once, by all agents and threads of this process together.

    Calls beyond the limit wait for their turn, and Stop ends their waiting too; a wait of more than a second is said. What is
    left out is as it was at first: 8 calls at a time (1 for a local model, which has one slot), and no limit of the rate. It
    holds from the next call on.

    Args:
        model: As an agent takes it: a name ("openai:gpt-5.2"), a pydantic-ai model, or one of `wf_notebook.models`. A model of
            functions (a scripted one) is limited by itself, all others by their name.
        concurrency: So many calls at a time; a stream is a call until it ends.
        requests_per_minute: So many requests in any 60 seconds; a call that uses tools makes several.

    Raises UnknownModel for a name of which the provider, or the model on this machine, is unknown; no key is needed.

    >>> limit("openai:gpt-5.2", concurrency=4, requests_per_minute=60)
    >>> limit("openai:gpt-5.2", concurrency=0)
    Traceback (most recent call last):
    ...
    ValueError: concurrency=0 lets no call through; it is 1 or more
    >>> limit("openai:gpt-5.2")
    """
    for what, number in (("concurrency", concurrency), ("requests_per_minute", requests_per_minute)):
        if number is not None and (number <= 0 or (what == "concurrency" and number < 1)):
            raise ValueError(f"{what}={number} lets no call through; it is {'1 or more' if what == 'concurrency' else 'above 0'}")
    if isinstance(model, str):
        from .resolve import check_name

        check_name(model)
    name = name_of(model)
    _set.pop(name, None)
    if concurrency is not None or requests_per_minute is not None:
        _set[name] = Limits(concurrency, requests_per_minute)


def name_of(model: Any) -> str:
    """Return the one name of a model that is called by its name, a description, or itself.

    >>> name_of("openai-chat:gpt-4o")
    'openai:gpt-4o'
    """
    if isinstance(model, str):
        kind, colon, rest = model.partition(":")
        return f"{SPELLINGS.get(kind, kind)}{colon}{rest}"
    if hasattr(model, "model_id"):
        name = name_of(model.model_id)
        return _numbered(model, name) if any(kind.__module__ in OF_FUNCTIONS for kind in type(model).__mro__) else name
    if hasattr(model, "provider") and hasattr(model, "id"):
        return name_of(f"{model.provider}:{model.id}")
    raise TypeError(f"a model is a name like 'openai:gpt-5.2', a pydantic-ai model or one of wf_notebook.models, not {model!r}")


def _numbered(model: Any, name: str) -> str:
    if id(model) not in _functions:
        _functions[id(model)] = f"{name}#{next(_numbers)}"
        weakref.finalize(model, _forget, id(model)).atexit = False
    return _functions[id(model)]


def _forget(model: int) -> None:
    name = _functions.pop(model)
    _set.pop(name, None)
    _gates.pop((name, None), None)


class Gate:
    """What all calls of one model pass, on the background loop: in the order in which they come."""

    def __init__(self, limits: Limits, *, level: int = logging.INFO) -> None:
        self.limits, self._level = limits, level
        self._slots = nullcontext() if limits.concurrency is None else asyncio.Semaphore(limits.concurrency)
        self._turn = asyncio.Lock()
        self._shut_until = 0.0
        rate = limits.requests_per_minute
        self._begun: deque[float] = deque(maxlen=max(1, int(rate)) if rate else 1)
        self._window = MINUTE * (self._begun.maxlen or 1) / rate if rate else 0.0
        #: How many wait, and whether it was said since the first of them came.
        self._waiting, self._said = 0, False

    @asynccontextmanager
    async def passing(self, who: str) -> AsyncGenerator[None]:
        """Wait for a slot and for the rate, and hold the slot."""
        notice = asyncio.get_running_loop().call_later(SILENT, self._say, who)
        self._waiting += 1
        waits = True
        try:
            async with self._slots:
                async with self._turn:
                    while (wait := self._opens_at() - _now()) > 0:  # noqa: ASYNC110 - until then; it may be put off meanwhile
                        await asyncio.sleep(wait)
                    self._begun.append(_now())
                waits = self._passed(notice)
                yield
        finally:
            if waits:
                self._passed(notice)

    def _passed(self, notice: asyncio.TimerHandle) -> bool:
        notice.cancel()
        self._waiting -= 1
        self._said = self._said and self._waiting > 0
        return False

    def _say(self, who: str) -> None:
        """Say who waits, and for what; once for all who wait at the same time."""
        if self._said:
            return
        self._said = True
        opens = self._opens_at()
        wait = opens - _now()
        if wait > 0 and opens == self._shut_until:
            what = f"at least {wait:.1f} s, as the provider asks for"
        elif wait > 0:
            what = f"at least {wait:.1f} s, for {self.limits.requests_per_minute:g} requests a minute are its limit"
        else:
            what = f"until one of the calls before it ends, for {self.limits.concurrency} at a time are its limit"
        others = f" and {self._waiting - 1} more" if self._waiting > 1 else ""
        logger.log(self._level, "%s%s: waiting %s", who, others, what)

    def _opens_at(self) -> float:
        full = len(self._begun) == self._begun.maxlen
        return max(self._shut_until, self._begun[0] + self._window if full else 0.0)

    def shut(self, seconds: float) -> None:
        """Let nobody pass for so long: the provider asked to wait."""
        self._shut_until = max(self._shut_until, _now() + seconds)


def _now() -> float:
    return asyncio.get_running_loop().time()


def gate(name: str, address: str | None, default: Limits) -> Gate:
    """Return the gate of a model; calls that passed an older one, before the limits were changed, go on."""
    limits = _set.get(name)
    if limits is not None and limits.concurrency is None:
        limits = Limits(default.concurrency, limits.requests_per_minute)
    # That a local model does one after the other is no news.
    level = logging.DEBUG if limits is None and default.concurrency == 1 else logging.INFO
    limits = limits or default
    found = _gates.get((name, address))
    if found is None or found.limits != limits:
        found = _gates[name, address] = Gate(limits, level=level)
    return found


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_gates.clear)  # their loop is the parent's
