"""A storage that lives as long as the process: SQLite without a file, so that it keeps every promise of the others but one."""

from __future__ import annotations

from .sqlite import SqliteWorkflowStorage


class MemoryWorkflowStorage(SqliteWorkflowStorage):
    """Sessions in memory, for tests and trials.

    >>> storage = MemoryWorkflowStorage()
    >>> session = storage.session("demo"); session.state["n"] = 1; session.save()
    >>> storage.session("demo").state
    {'n': 1}
    """

    def __init__(self, table_name: str = "workflow_sessions") -> None:
        super().__init__(table_name)
        self.url = "memory:"
        self._in_memory = True

    def _exists(self) -> bool:
        return True
