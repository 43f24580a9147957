"""The output of a run that goes on in a thread of its own, in a widget: what it prints and displays, as below a cell.

A front end routes messages to a widget only while it answers a click, so they are taken here, by the context that they come from:
branches and tools that run in copies of it count too. What other cells print meanwhile is theirs.
"""

from __future__ import annotations

import re
import sys
import threading
from base64 import b64encode
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from time import perf_counter
from typing import TYPE_CHECKING, Any

from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.getipython import get_ipython
from ipywidgets import Output, VBox

from .failure import rendered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_here: ContextVar[Pane | None] = ContextVar("wf_notebook_pane", default=None)

#: Seconds between two updates, at least; and how many times as long as an update took.
PAUSE, SHARE = 0.1, 4
#: So many characters are shown of what is printed, and so many outputs.
PRINTED, OUTPUTS = 100_000, 200
#: What a carriage return writes over: the earlier states of a progress bar.
_OVERWRITTEN = re.compile(r"[^\n]*\r(?=[^\n])")
VIEW = "application/vnd.jupyter.widget-view+json"


class Pane(VBox):  # type: ignore[misc] # has no types
    """Shows what a run displays: `live` while it goes on (other widgets are there, too), `output` all else, and then the record.

    They are two, so that what is printed does not draw the live output anew.
    """

    def __init__(self) -> None:
        self.live, self.output = Output(), Output()
        super().__init__([self.live, self.output])
        self._outputs: list[dict[str, Any]] = []
        self._places: dict[str, dict[str, Any]] = {}
        self._printed = 0
        self._changed = False
        self._changing = threading.RLock()

    @contextmanager
    def capturing(self) -> Iterator[None]:
        """Show here what this thread prints and displays, and what is begun from it; what was here goes once there is more."""
        with self._changing:
            self._outputs, self._places, self._printed, self._changed = [], {}, 0, False
        ended, token = threading.Event(), _here.set(self)
        flusher = threading.Thread(target=copy_context().run, args=[self._flush_until, ended], daemon=True)
        try:
            with _diverted:
                flusher.start()
                yield
        finally:
            _here.reset(token)
            ended.set()
            flusher.join()
            self._flush()

    # -- what is shown -----------------------------------------------------------------------------------------------------

    def publish(
        self,
        data: dict[str, Any],
        metadata: dict[str, Any] | None = None,
        source: object = None,
        *,
        transient: dict[str, Any] | None = None,
        update: bool = False,
        **_: object,
    ) -> None:
        """Show a display, or put it in the place of the one of its display_id."""
        plain = {kind: b64encode(each).decode() if isinstance(each, bytes) else each for kind, each in data.items()}
        shown = {"output_type": "display_data", "data": plain, "metadata": metadata or {}}
        display_id = (transient or {}).get("display_id")
        is_record = "wf_notebook" in shown["metadata"]  # of which there is one; who could not see its place shows it anew
        with self._changing:
            if update or (is_record and display_id in self._places):
                if display_id in self._places:
                    self._places[display_id].update(shown)
            else:
                self._add(shown, always=is_record or VIEW in data)
                if display_id is not None:
                    self._places[display_id] = shown
            self._changed = True

    def write(self, name: str, text: str) -> None:
        """Show printed text, of "stdout" or "stderr"."""
        with self._changing:
            room = PRINTED - self._printed
            if room <= 0:
                return
            shown = text if len(text) <= room else f"{text[:room]}\n… what was printed after this is not shown\n"
            self._printed += len(shown)
            last = self._outputs[-1] if self._outputs else {}
            if last.get("name") == name:
                last["parts"].append(shown)
            else:
                self._add(last := {"output_type": "stream", "name": name, "parts": [shown]})
            if "\r" in text:
                before = "".join(last["parts"])
                last["parts"] = [_OVERWRITTEN.sub("", before)]
                self._printed -= len(before) - len(last["parts"][0])
            self._changed = True

    def fail(self, error: BaseException) -> None:
        """Show a traceback as below a cell: the user's own lines, or one line of ours."""
        failure = {"ename": type(error).__name__, "evalue": str(error), "traceback": rendered(error)}
        with self._changing:
            self._outputs.append({"output_type": "error", **failure})
            self._changed = True

    def clear(self, wait: bool = False) -> None:
        """Take away what was printed and displayed, but not what has a display_id: the live output is that of the run."""
        with self._changing:
            kept = list(map(id, self._places.values()))
            self._outputs = [each for each in self._outputs if id(each) in kept]
            self._changed = not wait

    def _add(self, shown: dict[str, Any], *, always: bool = False) -> None:
        if always or len(self._outputs) < OUTPUTS:
            self._outputs.append(shown)

    def _flush_until(self, ended: threading.Event) -> None:
        pause = PAUSE
        while not ended.wait(pause):
            began = perf_counter()
            if self._changed:
                self._flush()
            pause = max(PAUSE, SHARE * (perf_counter() - began))

    def _flush(self) -> None:
        """Send what is new."""
        with self._changing:
            self._changed = False
            outputs = [_sent(each) for each in self._outputs]
        live = tuple(each for each in outputs if VIEW in each.get("data", ()))
        rest = [each for each in outputs if VIEW not in each.get("data", ())]
        rest.sort(key=lambda each: "wf_notebook" not in each.get("metadata", ()))  # the record where the live output was: above
        self.live.outputs = live
        self.output.outputs = tuple(rest)


def _sent(output: dict[str, Any]) -> dict[str, Any]:
    """Return an output as a notebook has it; a copy, as a widget compares what it had with what it gets."""
    if "parts" in output:
        output["parts"] = ["".join(output["parts"])]
        return {"output_type": "stream", "name": output["name"], "text": output["parts"][0]}
    return dict(output)


class _Stream:
    """Stands for sys.stdout or sys.stderr while a pane is open: passes on what comes from elsewhere."""

    def __init__(self, name: str, behind: Any) -> None:
        self._name = name
        self.behind = behind

    def write(self, text: str) -> int:
        pane = _here.get()
        if pane is None:
            written: int = self.behind.write(text)
            return written
        pane.write(self._name, text)
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.behind, name)


class _Diverted:
    """What prints and displays asks for the pane of its context; open as long as a pane is."""

    def __init__(self) -> None:
        self._open = 0
        self._opening = threading.Lock()
        self._undo: list[Callable[[], None]] = []

    def __enter__(self) -> None:
        with self._opening:
            self._open += 1
            if self._open > 1:
                return
            for name in ("stdout", "stderr"):
                setattr(sys, name, _Stream(name, getattr(sys, name)))
            shell = get_ipython()
            if shell is not None:  # the classes, as %%capture puts another publisher in the place of the shell's
                self._undo = [_divert(publisher) for publisher in {shell.display_pub_class, CapturingDisplayPublisher}]

    def __exit__(self, *_: object) -> None:
        with self._opening:
            self._open -= 1
            if self._open:
                return
            for name in ("stdout", "stderr"):
                if isinstance(stream := getattr(sys, name), _Stream):
                    setattr(sys, name, stream.behind)
            while self._undo:
                self._undo.pop()()


_diverted = _Diverted()


def _divert(publisher: Any) -> Callable[[], None]:
    """Let publishers of a class ask for the pane first; return how to undo that."""
    publish, clear = publisher.publish, publisher.clear_output

    def published(self: Any, *args: Any, **kwargs: Any) -> None:
        pane = _here.get()
        if pane is None:
            publish(self, *args, **kwargs)
        else:
            pane.publish(*args, **kwargs)

    def cleared(self: Any, wait: bool = False) -> None:
        pane = _here.get()
        if pane is None:
            clear(self, wait)
        else:
            pane.clear(wait)

    publisher.publish, publisher.clear_output = published, cleared

    def undo() -> None:
        publisher.publish, publisher.clear_output = publish, clear

    return undo
