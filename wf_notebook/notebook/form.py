"""A form that runs a workflow: a field for each input, a session, Run and Stop, and the run's output below."""

from __future__ import annotations

import threading
from contextlib import suppress
from contextvars import copy_context
from html import escape
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from IPython.core.getipython import get_ipython
from ipywidgets import HTML, Button, Combobox, HBox, Text, VBox

from ..errors import BadArguments, RunStopped
from ..ipynb.workflows import missing, named, parameters
from ..readable import brief
from ..redact import redact
from ..transaction import sweep_of
from .card import WITHOUT_WIDGETS, card, ran_card
from .controls import Field
from .displayed import publish
from .fields import complaint, field
from .live import perform
from .pane import VIEW, Pane
from .views import RecordView, has_widgets, view
from .wanted import BLANK, wanted
from .widget import answer_at_once

if TYPE_CHECKING:
    from ..record import OpenRun
    from ..run import Run
    from ..workflow import Workflow
    from .views import View

#: How long the sessions of a storage are waited for, in seconds: it may be held by others. Later they come by themselves.
PATIENCE = 0.2
#: The last letter that was typed may come after the Enter, in seconds.
TYPING = 0.2
#: A line that runs a workflow again is shown up to so many characters.
LINE = 1000


class Form(VBox):  # type: ignore[misc] # has no types
    """A workflow's inputs as widgets; composes in Tab, VBox, HBox and Accordion as any widget.

    `fields` has the field of each input, `values` what they give, `response` what the last run gave, `run` its record,
    `error` what it failed with. `start()`, `stop()` and `wait()` are what the buttons do, for code.
    """

    def __init__(self, workflow: Workflow, /, **inputs: Any) -> None:
        cls = type(workflow)
        missing(cls, inputs, _variable(workflow) or cls.__name__)
        self.workflow = workflow
        self.response: Any = None
        self.error: BaseException | None = None
        self.fields: dict[str, Field] = {each.name: field(each) for each in wanted(cls, inputs)}
        #: What run() takes by `**inputs`: it goes along as it was given.
        self._given = [name for name in inputs if name in self.fields]
        self._more = {name: value for name, value in inputs.items() if name not in self.fields}
        self.session = Combobox(workflow.session_id, description="session", placeholder="the id of a session")
        self.session.style.description_width = Field.LABEL
        self.session.layout = {"width": "auto", "max_width": "44em"}
        self.session.layout.display = None if workflow.storage is not None else "none"
        self.run_button = Button(description="Run", icon="play", button_style="primary", tooltip="Run it with these inputs")
        self.stop_button = Button(description="Stop", icon="stop", disabled=True, tooltip="End the run; what it said is kept")
        self.pane = Pane()
        self._said = HTML()
        self._display_id = uuid4().hex
        self._name: str | None = None
        self._again = ""
        self._run: OpenRun | None = None
        self._stopping = False
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        # What a click begins belongs to the cell that made the form: what escapes the pane, a log's line perhaps, is seen there.
        self._context = copy_context()
        buttons = HBox([self.run_button, self.stop_button, self._said], layout={"flex_flow": "row wrap", "align_items": "center"})
        super().__init__([*self.fields.values(), self.session, buttons, self.pane])
        self.add_class("wf-form")
        answer_at_once(self.stop_button.comm)
        self.run_button.on_click(lambda _: self._context.copy().run(self.start))
        self.stop_button.on_click(lambda _: self.stop())
        for each in self.fields.values():
            if isinstance(each.control, Text):
                each.control.on_msg(self._entered)
        self._list_sessions()

    # -- what it gives -----------------------------------------------------------------------------------------------------

    @property
    def values(self) -> dict[str, Any]:
        """What is filled in, by the names of the inputs; raises what an expression raises."""
        given = {name: each.value() for name, each in self.fields.items()}
        return self._more | {name: value for name, value in given.items() if value is not BLANK}

    @property
    def run(self) -> Run | None:
        """The record of the last run that was begun here, None before the first."""
        return self._run.record() if self._run is not None else None

    @property
    def output(self) -> Any:
        """The widget that has the record, and what was printed."""
        return self.pane.output

    @property
    def is_running(self) -> bool:
        """Whether a run goes on that was begun here."""
        return self._thread is not None

    # -- what its buttons do -----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Run the workflow with what is filled in, in a thread of its own; where that does not do, say so beside the fields."""
        with self._starting:
            if self.is_running or (inputs := self._checked()) is None:
                return
            self._stopping, self._run, self.error, self.response = False, None, None, None
            self.run_button.disabled, self.stop_button.disabled = True, False
            said = {name: each.written() for name, each in self.fields.items() if self._is_said(name, inputs)}
            self._again = self._line(self._written_more() | said)
            work = [self._perform, inputs, self.session.value.strip()]
            self._thread = threading.Thread(target=copy_context().run, args=work, daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the run: what was said is kept, the state is saved."""
        if not self.is_running:
            return
        self._stopping = True
        self._say("■ stopping…")
        if self._run is not None:  # else its session is being loaded
            self._run.context.cancel.cancel()

    def wait(self, timeout: float | None = None) -> Any:
        """Wait until the run has ended, in seconds at most; return its response."""
        with self._starting:
            thread = self._thread
        if thread is not None:
            thread.join(timeout)
        return self.response

    def _entered(self, _: Any, content: Any, __: Any) -> None:
        """Run at Enter, as `interact_manual` does."""
        if isinstance(content, dict) and content.get("event") == "submit":
            later = threading.Timer(TYPING, self._context.copy().run, [self.start])
            later.daemon = True
            later.start()

    def _checked(self) -> dict[str, Any] | None:
        """Return the inputs; None where one is missing or wrong, which is then said beside it."""
        inputs: dict[str, Any] = {**self._more}
        for name, each in self.fields.items():
            each.error = ""
            try:
                value = each.value()
            except Exception as error:  # noqa: BLE001 - the user's own expression
                each.error = complaint(error)
            else:
                inputs |= {name: value} if value is not BLANK else {}
        given = {name: inputs.get(name) for name, each in self.fields.items() if each.error or name in inputs}
        for name in missing(type(self.workflow), given, ""):
            self.fields[name].error = "required; fill it in"
        wrong = [name for name, each in self.fields.items() if each.error]
        self._say(f"✗ not run: see {', '.join(wrong)}" if wrong else "")
        return None if wrong else inputs

    # -- the run -----------------------------------------------------------------------------------------------------------

    def _perform(self, inputs: dict[str, Any], session: str) -> None:
        """Run the workflow, in the form's thread."""
        workflow = self.workflow
        try:
            with self.pane.capturing():
                try:
                    self._go_to(session)
                    self.response = perform(workflow, inputs, self._view(), opened=self._opened, has_stop=True)
                except RunStopped:
                    pass  # that is what Stop was for
                except BaseException as error:  # noqa: BLE001 - the user's own, shown as below a cell
                    self.error = error
                    self.pane.fail(error)
            self._note()
        finally:
            self._thread = None
            self.run_button.disabled, self.stop_button.disabled = False, True
            self._say("")
            self._list_sessions()

    def _go_to(self, session: str) -> None:
        workflow = self.workflow
        if not session or session == workflow.session_id:
            return
        if workflow.last_run is not None and workflow.last_run.status == "running":
            raise BadArguments(f"a run goes on in session {workflow.session_id!r}; stop it or wait, then go to {session!r}")
        workflow.session_id = session

    def _view(self) -> View:
        workflow = self.workflow
        if not has_widgets():
            return RecordView()
        return view(workflow.name or type(workflow).__name__, workflow.session_id, lambda: self.run or workflow.last_run)

    def _opened(self, run: OpenRun) -> None:
        self._run = run
        if self._stopping:
            run.context.cancel.cancel()

    # -- how it is shown ---------------------------------------------------------------------------------------------------

    def _ipython_display_(self) -> None:
        self.show(_variable(self.workflow))

    def show(self, name: str | None = None) -> None:
        """Show the card, which is read without a kernel too, and the form below it."""
        cls, self._name = type(self.workflow), name or type(self.workflow).__name__
        absent = [name for name, each in self.fields.items() if each.wanted.required and name not in self._given]
        said = {
            name: each.written() if name in self._given else '"…"' if each.wanted.kind is str else "…"
            for name, each in self.fields.items()
            if name in self._given or name in absent
        }
        line = self._line(self._written_more() | said)
        self._publish_card(card(cls, self._name, absent, line), {})
        if has_widgets():  # the card says it for who has none
            bundle: Any = self._repr_mimebundle_()
            publish({VIEW: bundle[VIEW], "text/html": "", "text/plain": ""})

    def _line(self, inputs: dict[str, str]) -> str:
        """Return the line that runs the workflow with inputs that are written so."""
        shell = get_ipython()
        written = [f"{name}={text}" for name, text in inputs.items()]
        if shell is not None and "workflow" in shell.magics_manager.magics["line"] and _variable(self.workflow):
            line = redact(" ".join([f"%workflow {self._name}", *written]))
        else:
            line = redact(f"{self._name}.run({', '.join(written)})")
        return line if len(line) <= LINE else f"{line[:LINE]}…"

    def _written_more(self) -> dict[str, str]:
        return {name: brief(repr(value)) for name, value in self._more.items()}

    def _is_said(self, name: str, inputs: dict[str, Any]) -> bool:
        """Return whether the line must say it: a default that is left as it is goes without."""
        default = parameters(type(self.workflow))[name].default
        value = inputs.get(name, default)
        try:
            return value is not default and (type(value) is not type(default) or bool(value != default))
        except Exception:  # noqa: BLE001 - a dataframe is neither equal nor not
            return True

    def _note(self) -> None:
        """Put the line and the record of a run into the card: a saved notebook has it, and not what is in widgets."""
        record = next((each for each in self.pane.output.outputs if "wf_notebook" in each.get("metadata", ())), None)
        if self._name is None or record is None:
            return
        bundle = ran_card(self._name, self._again, record["data"])
        self._publish_card(bundle, record["metadata"], update=True)

    def _publish_card(self, bundle: dict[str, str], metadata: dict[str, Any], *, update: bool = False) -> None:
        with_style = bundle | {"text/html": WITHOUT_WIDGETS + bundle["text/html"]}
        publish(with_style, metadata, transient={"display_id": self._display_id}, update=update)

    def _say(self, words: str) -> None:
        self._said.value = f'<span role="status">{escape(words)}</span>'

    def _list_sessions(self) -> None:
        """Offer the sessions of the storage, as soon as it answers."""
        storage, here = self.workflow.storage, self.workflow.session_id

        def ask() -> None:
            with suppress(Exception):  # a list to choose from; what is wrong with the storage is said by the run
                there = [each for each in storage.sessions()["session_id"] if sweep_of(each) is None]
                self.session.options = tuple(dict.fromkeys([here, *there]))

        if hasattr(storage, "sessions"):
            asking = threading.Thread(target=ask, daemon=True)
            asking.start()
            asking.join(PATIENCE)


def form(workflow: Workflow, /, **inputs: Any) -> Form:
    """Return a form of a workflow."""
    return Form(workflow, **inputs)


def _variable(workflow: Workflow) -> str | None:
    """Return the name of the user's variable that has a workflow."""
    shell = get_ipython()
    return None if shell is None else named(workflow, shell.user_ns)
