"""A session as the cells of a notebook, which run again from top to bottom."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from ..readable import brief
from ..render import moment, record_bundle, record_metadata
from ..render.status import standing
from .calls import SESSION, session_option
from .safe import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..frames import Table
    from ..render import Timeline
    from .report import Named, Report, Told

#: The form of what lies under `wf_notebook` in the metadata of the notebook.
FORM = 1
#: The tag of a cell that is a comment, and keeps its output: nbclient leaves it out.
SKIPPED = "skip-execution"
#: Columns of the text of a table.
ROOM = 100


class Cells:
    """Makes the cells of a session, with ids that stay the same."""

    def __init__(self, told: Report) -> None:
        self._told = told
        self._made: list[Any] = []
        self._count = 0

    def notebook(self) -> Any:
        """Return all of it as a notebook."""
        from nbformat import v4, validate

        told = self._told
        self._text("title", "\n\n".join([f"# {plain(told.title)}", *map(plain, about(told))]))
        self._code("load", "\n".join(self._first()))
        for named in told.workflows:
            self._workflow(named)
        for run in told.runs:
            self._run(run)
        self._state()
        self._timeline()
        notebook = v4.new_notebook(cells=self._made)
        notebook.metadata = {
            "kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"},
            "language_info": {"name": "python"},
            "wf_notebook": {
                "form": FORM,
                "session_id": told.session_id,
                "storage": told.address,
                "runs": [each.run.run_id for each in told.runs],
            },
        }
        validate(notebook)
        return notebook

    def _first(self) -> list[str]:
        """Return the lines that everything else needs."""
        told = self._told
        lines = ["%load_ext wf_notebook"]
        if not told.is_default and told.address != "memory:":
            lines.append(f"%config WorkflowMagics.storage = {told.address!r}")
        if session_option(told.session_id).endswith(f"{{{SESSION}}}"):
            lines.append(f"{SESSION} = {told.session_id!r}")
        return [*lines, *dict.fromkeys(line for each in told.runs for line in each.call.imports if each.runs_again)]

    def _workflow(self, named: Named) -> None:
        program = named.program
        if program is None:
            self._text(
                f"source of {named.name}", f"The source of {plain(named.name)} was not kept: define it here to run it again."
            )
            return
        if program.missing:
            names = ", ".join(map(plain, program.missing))
            self._text(
                f"missing of {named.name}", f"What defined {names} was not found: define it here to run {plain(named.name)}."
            )
        if program.before:
            self._code(f"before {named.name}", program.before)
        line = f"%%workflow {named.variable} --no-run --quiet {session_option(self._told.session_id)}"
        self._code(f"source of {named.name}", f"{line}\n{program.body}")

    def _run(self, told: Told) -> None:
        run = told.run
        self._text(f"about {run.run_id}", "\n\n".join([f"## {plain(heading(told))}", *map(plain, notes(told))]))
        metadata = {"wf_notebook": record_metadata(run, self._told.folder)}
        self._code(run.run_id, "\n".join(lines(told)), ("display_data", record_bundle(run), metadata))
        if not told.runs_again:
            self._tag(SKIPPED)

    def _state(self) -> None:
        if self._told.state is None:
            return
        option, runs = session_option(self._told.session_id), any(each.runs_again for each in self._told.runs)
        self._text("about the state", "## State")
        for path, table in (("", self._told.state), *self._told.tables):
            line = " ".join(filter(None, ["%wf state", path, option]))
            kept = {key for each in self._told.runs if each.runs_again for key in each.run.changes}
            is_there = runs if not path else path in kept
            self._code(f"state {path}", line if is_there else f"# {line}", ("execute_result", table_bundle(table), {}))
            if not is_there:
                self._tag(SKIPPED)
            elif not path:
                self._tag("volatile")  # it says by which version, and when

    def _timeline(self) -> None:
        """Show what the last run did when; the timelines of the others are in their records."""
        last = last_run(self._told)
        if last is None:
            return
        variable = next(each.variable for each in self._told.workflows if each.name == last.run.workflow)
        self._text("about the timeline", "## Timeline\n\nWhat the last run did, and when.")
        bundle: Mapping[str, str] = last.run.timeline()._repr_mimebundle_()
        self._code("timeline", f"{variable}.last_run.timeline()", ("execute_result", bundle, {}))
        self._tag("volatile")  # how long a run took differs

    def _tag(self, tag: str) -> None:
        """Say of the last cell that it is not to be run, or that what it shows is not to be compared by `wf rerun --check`."""
        self._made[-1].metadata["tags"] = [tag]

    # -- one cell ----------------------------------------------------------------------------------------------------------

    def _id(self, role: str) -> str:
        """Return the id of a cell: the same whenever this session is exported."""
        return sha256(f"{self._told.session_id}\n{role}".encode("utf-8", "replace")).hexdigest()[:12]

    def _text(self, role: str, source: str) -> None:
        from nbformat import v4

        self._made.append(v4.new_markdown_cell(source, id=self._id(role)))

    def _code(self, role: str, source: str, output: tuple[str, Mapping[str, str], dict[str, Any]] | None = None) -> None:
        from nbformat import v4

        self._count += 1
        outputs = []
        if output is not None:
            kind, data, metadata = output
            count = {"execution_count": self._count} if kind == "execute_result" else {}
            outputs.append(v4.new_output(kind, data=dict(data), metadata=metadata, **count))
        self._made.append(v4.new_code_cell(source, id=self._id(role), execution_count=self._count, outputs=outputs))


def about(told: Report) -> list[str]:
    """Return what a file is: of which session, how much of it, and what it needs to run again."""
    count, others = len(told.runs), told.count - len(told.runs)
    runs = f"{told.count} run{'' if told.count == 1 else 's'} of " + ", ".join(each.name for each in told.workflows)
    same = f" ({count} {'is' if count == 1 else 'are'} shown: runs with equal inputs once)" if others else ""
    named = "" if told.title == told.session_id else f" {told.session_id!r}"
    where = "in memory" if told.address == "memory:" else f"in {told.address}"
    return [
        f"A session{named} of wf_notebook, kept {where}: {runs if told.workflows else 'no run'}{same}.",
        "As a notebook it runs again from top to bottom: what was done comes from that store, and with another one is done anew.",
    ]


def last_timeline(told: Report) -> Timeline | None:
    """Return what the last run did when that ended well, if it did anything that takes its time."""
    run = last_run(told)
    return None if run is None else run.run.timeline() or None


def last_run(told: Report) -> Told | None:
    """Return the last run that ended well and has a timeline."""
    return next((each for each in reversed(told.runs) if each.runs_again and each.run.timeline()), None)


def heading(told: Told) -> str:
    """Return what stands above a run."""
    return f"{told.run.workflow} · {standing(told.run.status)} · {moment(told.run.started_at)}"


def notes(told: Told) -> list[str]:
    """Return what is to be known of a run beside its record, as text."""
    said = []
    if told.others:
        said.append(f"{told.others} more run{'' if told.others == 1 else 's'} had the same inputs.")
    if told.is_older:
        said.append("Its source was another one than that above: it was changed since.")
    return said


def lines(told: Told) -> list[str]:
    """Return the line that runs a workflow again; where that is not to be, as a comment that says why."""
    line = told.call.line
    if told.runs_again:
        return [line]
    if told.call.lacks:
        return [f"# This line cannot hold {', '.join(map(brief, told.call.lacks))}:", f"# {line}"]
    return [f"# {brief(standing(told.run.status, told.run.error))}. This line goes on:", f"# {line}"]


def table_bundle(table: Table) -> dict[str, str]:
    """Return a table as a notebook shows it, of a width that does not depend on who asks."""
    return {"text/html": table._repr_html_(), "text/plain": table.text(room=ROOM)}
