"""Every test and every doctest runs in an empty folder, with a home of its own and none of the developer's settings."""

from __future__ import annotations

import gc
import os
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from wf_notebook import redact

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# How long one example takes says more about the machine than about the code.
settings.register_profile("ours", deadline=None)
settings.load_profile("ours")

#: What Python 3.12 and later say of every fork in a process with threads; tests fork on purpose, also in processes they start.
OF_FORKS = "ignore:This process (pid:DeprecationWarning"

#: What would make a test depend on who runs it: our own settings, keys of model providers, places of Jupyter and IPython.
PERSONAL = re.compile(r"^(WF_|IPYTHON|JUPYTER_|XDG_|PYTEST_ADDOPTS$)|_(API_KEY|TOKEN|SECRET)$")


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return the home directory of this test session, new and empty; servers and kernels started by tests inherit it."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in filter(PERSONAL.search, list(os.environ)):
            patch.delenv(name)
        patch.setenv("HOME", str(home))
        patch.setenv("PYTHONWARNINGS", OF_FORKS)
        yield home


@pytest.fixture(scope="module", autouse=True)
def what_is_loaded_is_no_garbage() -> None:
    """Freeze what is loaded by now: each shell that ends looks for garbage, and would look through all of it, for 0.3 s."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the empty folder that this test runs in: nothing is ever written into the repository."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def secrets_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the secrets that a test registers once it is over: in another one they would be redacted from plain values."""
    monkeypatch.setattr(redact, "_registered", {})
    monkeypatch.setattr(redact, "_known", ({}, 0, frozenset()))
