"""Write the files of this release into tests/data: once for each release, so that every later one can be held to reading them.

python tools/corpus.py
"""

from __future__ import annotations

import gzip
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import wf_notebook
from wf_notebook import RunResponse, Workflow, open_storage

HERE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HERE))

from tests.data.contents import STATES  # noqa: E402 - what the tests compare with


class Writer(Workflow):
    """Says a little, and leaves the states one after the other."""

    def run(self, topic: str) -> Any:
        """Write about a topic."""
        self.session_state["topic"] = topic
        yield RunResponse(f"about {topic}")


def main() -> None:
    """Write a DuckDB and a SQLite file."""
    for kind in ("duckdb", "sqlite"):
        with TemporaryDirectory() as folder:
            path = Path(folder, f"release-{wf_notebook.__version__}.{kind}")
            fill(f"{kind}:///{path}")
            packed = HERE / "tests" / "data" / f"{path.name}.gz"
            packed.write_bytes(gzip.compress(path.read_bytes(), mtime=0))
        print(packed.relative_to(HERE), packed.stat().st_size)


def fill(url: str) -> None:
    """Keep sessions at an address."""
    with open_storage(url) as storage:
        session = storage.session("values")
        for state in STATES:
            session.replace(dict(state))
            session.save()
        Writer(session_id="runs", session_name="a name", user_id="ann", storage=storage).run("cheese").result()
        storage.session("gone").save()
        storage.delete_session("gone")


if __name__ == "__main__":
    main()
