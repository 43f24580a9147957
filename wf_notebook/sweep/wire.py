"""A wire between the process that has a sweep and one that does rows of it: what is told, what is asked, and the answers."""

from __future__ import annotations

import os
import pickle
import socket
import struct
import threading
from concurrent.futures import Future
from contextlib import suppress
from itertools import count
from multiprocessing import AuthenticationError
from multiprocessing.connection import answer_challenge, deliver_challenge
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

if TYPE_CHECKING:
    from collections.abc import Callable

#: How an answer, and an error in place of one, are marked.
_ANSWER, _ERROR = "", "!"
#: A machine that is gone says nothing: after so many seconds it is asked, so often, and then it is lost.
_ALIVE = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}
#: Seconds that a connection may take.
CONNECTING = 10.0


class Severed(ConnectionError):
    """The other end is gone."""


class Wire:
    """One end. `hear(what, number, said)` is called for all that comes, in order; a number above 0 asks for `answer(number, …)`.

    Both ends prove to each other that they know the secret before anything is read.
    """

    def __init__(self, connection: socket.socket, hear: Callable[[str, int, tuple[Any, ...]], object]) -> None:
        self._socket, self._hear = connection, hear
        self._sending, self._asking = threading.Lock(), threading.Lock()
        self._asked: dict[int, Future[Any]] = {}
        self._numbers = count(1)
        self.is_severed = False
        closed_in_a_child(connection)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _ALIVE.items():
            if hasattr(socket, name):
                connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)

    def prove(self, secret: bytes, *, first: bool) -> None:
        """Prove that this end knows the secret, and that the other one does. Raises Severed where it does not."""
        try:
            self._socket.settimeout(CONNECTING)
            for way in (deliver_challenge, answer_challenge) if first else (answer_challenge, deliver_challenge):
                way(self, secret)  # type: ignore[arg-type] # it sends and receives bytes, and that is all that is asked for
        except (AuthenticationError, OSError, EOFError, AssertionError, struct.error) as error:
            self.sever()
            raise Severed("the other end does not know the secret of this sweep") from error
        self._socket.settimeout(None)

    # -- said --------------------------------------------------------------------------------------------------------------

    def tell(self, what: str, *said: Any) -> None:
        """Tell something, and wait for nothing."""
        self._send(what, 0, said)

    def ask(self, what: str, *said: Any) -> Any:
        """Ask, and wait for the answer; raises what was raised there."""
        answer: Future[Any] = Future()
        with self._asking:
            if self.is_severed:
                raise Severed("the other end is gone")
            number = next(self._numbers)
            self._asked[number] = answer
        self._send(what, number, said)
        return answer.result()

    def answer(self, number: int, value: Any = None) -> None:
        """Answer a question; an answer that nobody waits for any more is nothing."""
        with suppress(Severed):
            self._send(_ANSWER, number, (value,))

    def refuse(self, number: int, error: BaseException) -> None:
        """Answer a question by an error."""
        with suppress(Severed):
            self._send(_ERROR, number, (error,))

    def _send(self, what: str, number: int, said: tuple[Any, ...]) -> None:
        data = pickle.dumps((what, number, said), pickle.HIGHEST_PROTOCOL)
        try:
            with self._sending:
                self.send_bytes(data)
        except OSError as error:
            self.sever()
            raise Severed("the other end is gone") from error

    # -- heard -------------------------------------------------------------------------------------------------------------

    def attend(self) -> None:
        """Hear all that comes, until the wire is severed."""
        try:
            while True:
                what, number, said = pickle.loads(self.recv_bytes())  # noqa: S301 - who sends it has proved to know the secret
                if what not in {_ANSWER, _ERROR}:
                    self._hear(what, number, said)
                elif (answer := self._asked.pop(number, None)) is not None:
                    answer.set_exception(said[0]) if what else answer.set_result(said[0])
        except (OSError, EOFError):
            pass
        finally:
            self.sever()

    def sever(self) -> None:
        """Cut it: whoever waits for an answer hears of that."""
        with self._asking:
            self.is_severed = True
            asked, self._asked = self._asked, {}
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for answer in asked.values():
            answer.set_exception(Severed("the other end is gone"))

    # -- bytes -------------------------------------------------------------------------------------------------------------

    def send_bytes(self, data: bytes) -> None:
        """Send bytes, and before them how many they are."""
        self._socket.sendall(struct.pack("!Q", len(data)) + data)

    def recv_bytes(self, most: int | None = None) -> bytes:
        """Wait for bytes and return them."""
        (length,) = struct.unpack("!Q", self._read(8))
        if most is not None and length > most:
            raise OSError("more was sent than may be")
        return self._read(length)

    def _read(self, length: int) -> bytes:
        data = bytearray(length)
        view, there = memoryview(data), 0
        while there < length:
            read = self._socket.recv_into(view[there:])
            if not read:
                raise EOFError
            there += read
        return bytes(data)


_ours: WeakSet[socket.socket] = WeakSet()


def closed_in_a_child(one: socket.socket) -> None:
    """Close a socket in a forked child, where it is the parent's: who is at the other end is to hear when that is gone."""
    _ours.add(one)


def _close_all() -> None:
    for one in list(_ours):
        with suppress(OSError):
            os.close(one.detach())
    _ours.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_all)
