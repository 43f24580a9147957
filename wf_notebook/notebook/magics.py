"""%%workflow defines a workflow and runs it; %workflow runs it again."""

from __future__ import annotations

import inspect
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from IPython.core.getipython import get_ipython
from IPython.core.magic import Magics, line_cell_magic, magics_class, needs_local_scope, no_var_expand
from traitlets import Bool, Enum, Unicode, observe

from ..cache import checked_mode
from ..errors import BadArguments, SessionConflict
from ..ipynb.cell import join_line
from ..ipynb.given_rows import given_rows
from ..ipynb.line import read_line
from ..ipynb.options import help_text
from ..ipynb.workflows import find, listed, missing, needs, successor, take_name
from ..render import counts, responses_bundle
from ..run import logger
from ..storage import choose_default
from ..sweep import mapped_by_line
from ..workflow import Workflow
from .background import BackgroundRun
from .body import define
from .failure import for_this_cell, users_tracebacks
from .forms import ask_for_inputs, show_card
from .live import perform
from .remains import DETAILS
from .sweeping import do_sweep
from .verbs import perform as perform_verb
from .views import NoView, RecordView, view

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from ..ipynb.line import Line
    from ..ipynb.options import Options
    from .views import View


class Outputs(list[Any]):
    """Several outputs of one run: a list of responses that shows what they say."""

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return responses_bundle(self)

    def _repr_pretty_(self, printer: Any, cycle: object) -> None:
        # Without it IPython prefers its own printer of lists to the bundle's text.
        printer.text(responses_bundle(self)["text/plain"])


@magics_class
class WorkflowMagics(Magics):
    """The magics of wf_notebook, and their settings."""

    shell: InteractiveShell

    storage = Unicode(help="Where sessions are kept, unless --storage says otherwise: duckdb:///runs.duckdb").tag(config=True)
    session = Unicode(help="The session of every workflow, unless --session says otherwise (default: its NAME)").tag(config=True)
    stream = Bool(default_value=True, help="Show what a run says while it goes on; False is --no-stream").tag(config=True)

    record = Enum(
        DETAILS, "full", help="What a run leaves: full, compact (its head and its answer) or none; NAME.last_run.show() has all"
    ).tag(config=True)

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        #: Workflows that an option of the line brought into another session or storage than their cell's own.
        self._moved: WeakSet[Workflow] = WeakSet()

    @observe("storage")
    def _choose_storage(self, change: Any) -> None:
        choose_default(change["new"] or None)

    @no_var_expand
    @needs_local_scope
    @line_cell_magic
    def workflow(self, line: str, cell: str | None = None, local_ns: dict[str, Any] | None = None) -> Any:
        """Define a workflow and run it; or, on a line of its own, run one again.

            %%workflow [NAME] [options] [inputs]     the cell: a Workflow subclass, or agents and a run(self, …)
            %workflow NAME [options] [inputs]        run it again
            %workflow NAME --map DATA [inputs]       run it for each row of a dataframe, a list or a file

        Inputs are Python: topic="LLMs in 2026" n=3 **more. In options {expression} is replaced by its value.
        The response is in _, and what x = %workflow NAME gives; the record of the last run is NAME.last_run.
        """
        __tracebackhide__ = True
        with users_tracebacks(self.shell):
            if cell is not None:
                line, cell = join_line(line, cell)
            read = read_line(line)
            namespace = self.shell.user_ns
            seen = namespace if local_ns is None or local_ns is namespace else {**namespace, **local_ns}
            read = replace(read, options=read.options.expand(seen))
            if read.options.help:
                print(f"{inspect.cleandoc(WorkflowMagics.workflow.__doc__ or '')}\n\nOptions:\n{help_text()}")
                return None
            return self._again(read, seen) if cell is None else self._define(read, cell)

    @no_var_expand
    @line_cell_magic
    def wf(self, line: str, cell: str | None = None) -> Any:
        """Look at sessions and runs, and go back: %wf lists its verbs, %wf VERB -h shows the options of one.

        What a verb gives is a value: t = %wf runs, then t.df(). {expression} is replaced by its value, but not in SQL.
        """
        __tracebackhide__ = True
        with users_tracebacks(self.shell):
            return perform_verb(line, cell, self.shell.user_ns)

    def _define(self, read: Line, cell: str) -> Any:
        """Run a cell, make its workflow, and run that if it has what it needs."""
        namespace, options = self.shell.user_ns, read.options
        cls, name = define(self.shell, cell, read.name)
        workflow = self._made(cls, name, options, namespace.get(name))
        take_name(name, namespace)
        namespace[name] = workflow
        inputs = read.inputs(namespace)
        if options.map is not None and not options.no_run:
            return self._map(workflow, inputs, options, namespace)
        absent = missing(cls, inputs, name)
        if options.no_run:
            return self._show_card(workflow, name, absent, options)
        if absent:
            return None if options.quiet else ask_for_inputs(workflow, name, absent, inputs)
        return self._run(name, workflow, inputs, options)

    def _again(self, read: Line, seen: dict[str, Any]) -> Any:
        """Run a workflow of the user's namespace; `seen` is where inputs are evaluated."""
        namespace, options = self.shell.user_ns, read.options
        if read.name is None:
            known = listed(namespace) or "none yet; define one with %%workflow"
            raise BadArguments(f"%workflow NAME runs a workflow again; there are {known}")
        cls, name, found = find(namespace, read.name)
        inputs = read.inputs(seen)
        absent = missing(cls, inputs, name) if options.map is None else []
        if absent and not options.no_run:
            raise needs(cls, name, absent)
        if found is None:
            workflow = self._made(cls, name, options, None)
        elif type(found) is cls and not options.session and not options.storage:
            workflow = found
            if workflow in self._moved and not options.quiet:
                print(f"{name}: still in {_place(workflow)}; its cell goes back to its own")
        else:
            if type(found) is not cls and not options.quiet:
                print(f"{name}: {cls.__name__} was defined anew; this runs the new one")
            session, storage = options.session or found.session_id, options.storage or found.storage
            workflow = successor(cls, name, found, session=session, storage=storage, namespace=namespace)
            if options.session or options.storage or found in self._moved:
                self._moved.add(workflow)
        take_name(name, namespace)
        namespace[name] = workflow
        if options.no_run:
            return self._show_card(workflow, name, absent, options)
        if options.map is not None:
            return self._map(workflow, inputs, options, seen)
        return self._run(name, workflow, inputs, options)

    def _made(self, cls: type[Workflow], name: str, options: Options, old: Any) -> Workflow:
        """Make the workflow of a cell, in the place of what has its name now."""
        session = options.session or self.session or os.environ.get("WF_SESSION") or name
        storage = options.storage or cls.storage or "default"
        place = logger.getChild("storage")
        place.disabled = options.quiet
        try:
            workflow = successor(cls, name, old, session=session, storage=storage, namespace=self.shell.user_ns)
        finally:
            place.disabled = False
        if options.session or options.storage:
            self._moved.add(workflow)
        elif isinstance(old, Workflow) and old in self._moved and not options.quiet and _place(old) != _place(workflow):
            print(f"{name}: back in {_place(workflow)}, from {_place(old)}")
        return workflow

    def _show_card(self, workflow: Workflow, name: str, absent: list[str], options: Options) -> None:
        if not options.quiet:
            show_card(workflow, name, absent, options.map)

    def _run(self, name: str, workflow: Workflow, inputs: dict[str, Any], options: Options) -> Any:
        if options.reset:  # the run saves it so; what was there stays a version of the session, and is no conflict
            workflow.session.reload()
            workflow.session_state.clear()
        workflow.private = options.private or type(workflow).private
        workflow.next_run(cache="refresh" if options.fresh else checked_mode(options.cache, "--cache "))
        shown: View
        if options.quiet:
            shown = NoView()
        elif options.no_stream or not self.stream:
            shown = RecordView()
        else:
            named, outlives = workflow.name or type(workflow).__name__, options.background
            shown = view(named, workflow.session_id, lambda: workflow.last_run, outlives=outlives)
        if options.background:
            return self._given(BackgroundRun(workflow, inputs, shown), options)
        try:
            answer = perform(workflow, inputs, shown)
        except SessionConflict as error:
            error.args = (str(error).replace("the workflow's session", f"{name}.session"),)
            raise
        if options.fresh and not options.quiet and (run := workflow.last_run) is not None and not counts(run):
            print(f"{name}: --fresh found no step to do again: run() answered by itself; --reset starts from an empty state")
        response = self._given(Outputs(answer) if isinstance(answer, list) else answer, options)
        if response is not None:  # it has just been shown
            for_this_cell(self.shell, response, "_ipython_display_", (lambda: None) if options.quiet else _point_at_it)
        return response

    def _map(self, workflow: Workflow, inputs: dict[str, Any], options: Options, seen: dict[str, Any]) -> Any:
        """Run a workflow for each row of what --map names; `seen` is where that is looked up."""
        how = {**options.of_map(), "cache": "refresh" if options.fresh else checked_mode(options.cache, "--cache ")}
        workflow.private = options.private or type(workflow).private
        sweep = mapped_by_line(workflow, given_rows(options.map or "", seen), inputs, **how)
        self._given(sweep, options)  # also where it is stopped
        shown = NoView() if options.quiet else RecordView() if options.no_stream or not self.stream else None
        if options.background:
            sweep.start()
        do_sweep(sweep, shown)
        for_this_cell(self.shell, sweep, "_ipython_display_", (lambda: None) if options.quiet else _point_at_it)
        return sweep

    def _given(self, response: Any, options: Options) -> Any:
        if options.out:
            self.shell.user_ns[options.out] = response
        return response


def _point_at_it() -> None:
    """Show nothing a second time; a terminal has written `Out[…]:` already, and there the line gets an end that makes sense."""
    if get_ipython() is not None and getattr(get_ipython(), "kernel", None) is None:
        print("<the response above>")


def _place(workflow: Workflow) -> str:
    return f"session {workflow.session_id!r} of {getattr(workflow.storage, 'url', 'no storage')}"
