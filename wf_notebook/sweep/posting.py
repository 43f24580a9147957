"""Other processes are asked to come for rows: one for each place that is free, for a while, and then again."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from ..errors import WorkersLost, WorkflowError
from .remote import shift

if TYPE_CHECKING:
    from collections.abc import Callable

    from .halls import Hall

#: So many times in a row nobody comes: then something stands against it.
FAILURES = 5
#: What is done about it.
_HOST = "set WF_SWEEP_HOST to the address by which workers reach this machine, and see what lets nobody in, such as a firewall"


class Posting:
    """Asks as many to come as there are places, or rows may go on at once; `back` is called when one has been there."""

    def __init__(
        self, hall: Hall, *, limit: int | None, back: Callable[[], object], failed: Callable[[BaseException], object]
    ) -> None:
        self._hall, self._limit, self._hears, self._failed = hall, limit, back, failed
        self._shifts: dict[int, tuple[str, int, Any]] = {}
        self._numbers, self._is_over = 0, False
        #: How often one came for rows, and how often in a row one was back that had reached nobody.
        self._came = self._failures = 0
        self._to: tuple[str, int, bytes] = "", 0, b""
        #: How many places there are.
        self.slots = 1

    def leads_to(self, host: str, port: int, secret: bytes) -> None:
        """Say where they are to come."""
        self._to = host, port, secret

    def heard(self) -> None:
        """Hear that one came."""
        self._came, self._failures = self._came + 1, 0

    def post(self) -> None:
        """Ask for those that are missing. Raises WorkersLost where nobody will come any more."""
        places = self._hall.places()
        for number, (place, _, future) in list(self._shifts.items()):
            if place and places and place not in places:  # it is gone, and will not come
                self._shifts.pop(number, None)
                self._hall.cancel(future)
        there = list(self._shifts.values())
        self.slots = max(1, sum(places.values()))
        limit = self._limit or self.slots
        busy = Counter(place for place, _, _ in there)
        left = limit - sum(threads for _, threads, _ in there)
        free = [place for nth in range(max(places.values(), default=0)) for place in places if busy[place] <= nth < places[place]]
        each, more = max(1, limit // self.slots), limit % self.slots if limit > self.slots else 0
        for place in free:
            if (threads := min(left, each + (more > 0))) < 1:
                return
            left, more = left - threads, more - 1
            self._ask(place, threads)

    def _ask(self, place: str, threads: int) -> None:
        self._numbers += 1
        number, came = self._numbers, self._came
        self._shifts[number] = place, threads, None
        future = self._hall.submit(place, shift, *self._to, threads)
        self._shifts[number] = place, threads, future
        future.add_done_callback(lambda done: self._back(number, came, done))

    def _back(self, number: int, came: int, future: Any) -> None:
        """One that had been asked to come is back, or did not come; nobody had come when it was asked but so many."""
        try:
            error = None if self._is_over else self._error(came, future)
        except Exception as raised:  # noqa: BLE001 - of the executor
            error = raised
        if self._shifts.pop(number, None) is None or self._is_over:
            return
        if error is not None:
            self._failed(error if isinstance(error, WorkflowError) else WorkersLost(_unable(error)))
        self._hears()

    def _error(self, came: int, future: Any) -> BaseException | None:
        if (error := self._hall.outcome(future)) is not None or self._came > came:
            return error
        if (why := self._hall.answer(future)) is None:
            return None
        self._failures += 1
        return WorkersLost(f"no row can be done there: {why}; {_HOST}") if self._failures >= FAILURES else None

    @property
    def is_empty(self) -> bool:
        """Whether all that were asked to come are back."""
        return not self._shifts

    def close(self) -> None:
        """Nobody need come any more."""
        self._is_over = True

    def cancel(self) -> None:
        """Take back what was asked of those that are not back."""
        for _, _, future in list(self._shifts.values()):
            if future is not None:
                self._hall.cancel(future)


def _unable(error: BaseException) -> str:
    return (
        f"no row can be done there ({type(error).__name__}: {error}); workers need wf_notebook, and the modules of the workflow, "
        "or cloudpickle.register_pickle_by_value(module) here"
    )
