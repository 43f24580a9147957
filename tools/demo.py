"""Run notebooks/01_quickstart.ipynb for real and show it in the terminal: each answer while it is made, and what was kept.

What it leaves in build/demo (or the folder given) stays there: run again, the kept session answers.
"""

from __future__ import annotations

import json
import os
import sys
from html.parser import HTMLParser
from pathlib import Path
from time import monotonic
from typing import Any

import duckdb
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter
from rich.console import Console
from rich.live import Live
from rich.markdown import Markdown
from rich.table import Table
from rich.text import Text

NOTEBOOK = Path(__file__).resolve().parent.parent / "notebooks" / "01_quickstart.ipynb"
FOLDER = Path(sys.argv[1] if len(sys.argv) > 1 else "build/demo")
STORE = FOLDER / ".workflows" / "workflows.duckdb"
SHOWN = 24  # lines of an output

console = Console(highlight=False)


class _Words(HTMLParser):
    """The text of a live output, with the lines of its blocks."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.text += {"li": "• ", "br": "\n"}.get(tag, "")

    def handle_endtag(self, tag: str) -> None:
        if tag in {"p", "li", "h1", "h2", "h3", "h4", "pre", "tr", "blockquote"} and not self.text.endswith("\n"):
            self.text += "\n"

    def handle_data(self, data: str) -> None:
        self.text += data if data.strip() or "\n" not in data else ""


class Demo(NotebookClient):
    """Executes a notebook and shows, cell by cell, what a reader in the browser would see."""

    live = Live(console=console, refresh_per_second=12, transient=True)

    def show_start(self, cell: Any, cell_index: int) -> None:
        """Show a text, or the source of a cell, and from then on its live output."""
        console.print()
        if cell.cell_type == "markdown":
            console.print(Markdown(cell.source))
        elif cell.source:
            console.print(Text(cell.source, style="dim"), no_wrap=True, overflow="ellipsis")
            self.live.update(Text())
            self.live.start()

    def handle_comm_msg(self, outs: list[Any], msg: dict[str, Any], cell_index: int) -> None:
        """Show what a live output has so far: of each section its finished pages and the open tail."""
        super().handle_comm_msg(outs, msg, cell_index)
        state = self.widget_state.get(msg["content"]["comm_id"], {})
        if state.get("sections"):
            words = _Words()
            for section in state["sections"]:
                parts = [f"page_{page}" for page in section["pages"]] + [f"tail_{section['tail']}"]
                words.feed("".join(state.get(part, "") for part in parts))
            self.live.update(Text("\n".join(words.text.strip().splitlines()[-SHOWN:]), style="cyan"))

    def show_end(self, cell: Any, cell_index: int, execute_reply: object = None) -> None:
        """Show what stays of a cell: its outputs as text."""
        self.live.stop()
        for output in cell.get("outputs", []):
            text = output.get("text") or output.get("data", {}).get("text/plain") or "\n".join(output.get("traceback", []))
            lines = text.rstrip().splitlines()
            console.print(Text.from_ansi("\n".join(lines[:SHOWN])))
            if len(lines) > SHOWN:
                console.print(f"… {len(lines) - SHOWN} more lines in the notebook", style="dim")


def execute() -> None:
    """Execute the notebook in the folder and write it there, as HTML too; a cell that fails ends the demo."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    demo = Demo(notebook, kernel_name="python3", timeout=600, resources={"metadata": {"path": str(FOLDER)}})
    demo.on_cell_start, demo.on_cell_executed = demo.show_start, demo.show_end
    try:
        with (FOLDER / "kernel.log").open("wb") as log:
            demo.execute(stderr=log)
    except CellExecutionError as error:
        sys.exit(f"the notebook stopped with {error.ename}: {error.evalue}")
    finally:
        demo.live.stop()
        nbformat.write(notebook, FOLDER / NOTEBOOK.name)
    html, _ = HTMLExporter().from_notebook_node(notebook)
    (FOLDER / NOTEBOOK.name).with_suffix(".html").write_text(html, encoding="utf-8")


def rows(sql: str, *parameters: object) -> list[tuple[Any, ...]]:
    """Query the store, as anybody can while no one writes."""
    if not STORE.exists():
        return []
    with duckdb.connect(STORE, read_only=True) as connection:
        return connection.execute(sql, parameters).fetchall()


def show_results(known: int, seconds: float) -> None:
    """Show which runs asked the model and which did not, what is in session_state, and where everything lies."""
    console.rule("what this run did")
    runs = rows("SELECT workflow, inputs, status, models, output_tokens FROM runs ORDER BY started_at")[known:]
    for workflow, inputs, status, models, tokens in runs:
        call = ", ".join(f"{name}={value!r}" for name, value in json.loads(inputs).items())
        how = f"{tokens} tokens by {', '.join(json.loads(models))}" if tokens else "out of the kept session: no model was called"
        console.print(Text(f"{workflow}({call}): {status}, {how}"))
    table = Table("session", "key", "value", "version", title="session_state", title_justify="left")
    for session, key, value, version in rows("SELECT session_id, key, value, version FROM session_state ORDER BY ALL"):
        table.add_row(session, key, Text(value if len(value) < 400 else value[:399] + "…"), str(version))  # noqa: PLR2004 - as many as a cell has room for
    console.print(table)
    executed = FOLDER / NOTEBOOK.name
    for name, path in (("notebook", executed), ("HTML", executed.with_suffix(".html")), ("DuckDB file", STORE)):
        console.print(f"{name:12}{path}", soft_wrap=True)
    console.print(f"{'open it':12}make lab       (this took {seconds:.0f} s)")


def main() -> None:
    """Run the demo."""
    for name in [name for name in os.environ if name.startswith("WF_") and name != "WF_MODELS"]:
        del os.environ[name]
    STORE.parent.mkdir(parents=True, exist_ok=True)
    started, known = monotonic(), len(rows("SELECT 1 FROM runs"))
    console.rule(NOTEBOOK.name + (", with the session kept from before" if known else ""))
    execute()
    show_results(known, monotonic() - started)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("interrupted; what the session had is kept")
