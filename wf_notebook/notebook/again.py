"""Running again from an inspector what was run before, by a workflow of the notebook; and stopping what runs here."""

from __future__ import annotations

import threading
from time import monotonic
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from IPython.core.getipython import get_ipython

from ..errors import BadArguments, RunStopped, WorkflowError
from ..inspection.listing import inputs_line
from ..ipynb.defining import is_workflow
from ..ipynb.workflows import missing, needs, successor
from ..readable import as_json
from ..redact import redact
from ..transaction import is_branch
from ..verbs.asked import Asked
from .live import perform
from .views import NoView

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..inspection import Inspector
    from ..run import Run
    from ..workflow import Workflow

#: So many seconds a run may take to begin, and between two looks whether it has.
BEGINS, PAUSE = 10.0, 0.02
#: The workflows whose runs inspectors began: not all of them have a name in the notebook.
_begun: WeakSet[Workflow] = WeakSet()


def again(inspector: Inspector, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Say what would be run again; or, where that is sure, begin it, and return the new run's id: it goes on by itself."""
    run = inspector.storage.run(str(asked["run"]))
    workflow = _workflow(inspector, run)
    if not asked.get("sure"):
        remembers = workflow.cache in {"use", "only"}
        paid = "Steps that are in the store cost nothing, what agents do anew is paid for." if remembers else "It is paid for."
        given = inputs_line(as_json(run.inputs)) or "no inputs"
        return {"words": redact(f"Run {run.workflow} again, with {given}? {paid}")}
    return {"run": _begin(inspector, workflow, run.inputs)}


def stop(_: Inspector, asked: Mapping[str, Any]) -> None:
    """Ask a run of this kernel to end: what was said is kept."""
    for workflow in [*Asked(_namespace()).workflows(), *_begun]:
        last = workflow.last_run
        if last is not None and last.run_id == asked["run"] and last.status == "running":
            workflow.stop()
            return
    raise BadArguments("this run does not go on in this kernel; where it does, the Stop of its cell ends it, or workflow.stop()")


def _namespace() -> dict[str, Any]:
    shell = get_ipython()
    return {} if shell is None else shell.user_ns


def _workflow(inspector: Inspector, run: Run) -> Workflow:
    """Return a workflow of the run's class, as that is defined now, in its session; BadArguments where that cannot be."""
    namespace, storage = _namespace(), inspector.storage
    stored = storage.read("SELECT session_id FROM run_log WHERE run_id = ? AND store = ?", (run.run_id, storage.table_name))
    line = f"run(**storage.run({run.run_id!r}).inputs)"
    if is_branch(stored[0][0]):
        raise BadArguments(f"{run.session_id!r} is a branch, in which nothing is run; in a session of your own: .{line}")
    if "<redacted " in as_json(run.inputs):
        raise BadArguments("an input is a secret, which was not recorded; write it yourself: %workflow NAME …")
    here = [each for each in Asked(namespace).of_session(run.session_id, storage) if each.name == run.workflow]
    classes = [value for value in list(namespace.values()) if is_workflow(value)]
    for workflow in here:
        if type(workflow) in classes or type(workflow).__name__ not in {each.__name__ for each in classes}:
            return _free(workflow, run)
    for cls in classes:
        if run.workflow in {cls.name, cls.__name__}:
            return _free(successor(cls, "", None, session=run.session_id, storage=storage, namespace=namespace), run)
    raise BadArguments(
        f"no workflow {run.workflow!r} is defined in this kernel; define it, then this runs it again: "
        f"{run.workflow}(session_id={run.session_id!r}, storage=storage).{line}"
    )


def _free(workflow: Workflow, run: Run) -> Workflow:
    """Return a workflow that can run this; raises what is wrong with the inputs, and BadArguments while it runs."""
    if workflow.private:
        raise BadArguments(f"{workflow.name!r} is private now, and leaves no record; run it in a cell")
    if workflow.last_run is not None and workflow.last_run.status == "running":
        raise BadArguments(f"{workflow.name!r} runs in this session already; stop it, or wait for its end")
    if absent := missing(type(workflow), run.inputs, str(workflow.name)):
        raise needs(type(workflow), str(workflow.name), absent)
    return workflow


def _begin(inspector: Inspector, workflow: Workflow, inputs: dict[str, Any]) -> str:
    """Begin a run, and return its id once the store knows it; it is shown nowhere but where its session is looked at."""
    before, failures = workflow.last_run, list[BaseException]()

    def work() -> None:
        try:
            perform(workflow, dict(inputs), NoView())
        except RunStopped:
            pass  # the record says so
        except BaseException as error:  # noqa: BLE001 - the record has it; where none was begun, it is raised below
            failures.append(error)

    thread = threading.Thread(target=work, name="wf_notebook-run", daemon=True)
    _begun.add(workflow)
    thread.start()
    until = monotonic() + BEGINS
    while monotonic() < until:
        thread.join(PAUSE)
        run = workflow.last_run
        if run is not None and (before is None or run.run_id != before.run_id):
            if inspector.storage.read("SELECT 1 FROM run_log WHERE run_id = ? LIMIT 1", (run.run_id,)):
                return run.run_id
        elif failures:
            raise failures[0]
    raise WorkflowError(f"{workflow.name!r} has not begun within {BEGINS:.0f} s; it appears here when it does")


#: What a page can ask for where it is shown by a notebook, whose workflows can be run.
RUNNING_OPS = {"run_again": again, "run_stop": stop}
