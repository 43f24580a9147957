"""Who works here: the user that the environment names, and those in whose name workflows of this process were made."""

from __future__ import annotations

import os

#: What names a user: our own variable, and the one of JupyterHub.
NAMES = ("WF_USER", "JUPYTERHUB_USER")

_in_whose_name: set[str] = set()


def user() -> str | None:
    """Return the user that the environment names; None where it names nobody, as on a machine of one's own.

    >>> os.environ["WF_USER"] = "ann"; user()
    'ann'
    >>> del os.environ["WF_USER"]
    """
    for name in NAMES:
        if found := os.environ.get(name):
            return found
    return None


def work_for(name: str) -> None:
    """Know that this process works in the name of another user too, as a workflow was made for one."""
    _in_whose_name.add(name)


def users() -> frozenset[str] | None:
    """Return in whose names this process works; None where the environment names nobody: then sessions are everybody's."""
    here = user()
    return None if here is None else frozenset({here, *_in_whose_name})
