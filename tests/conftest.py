"""What tests share: a real IPython shell, the real local model, a real Postgres, a real JupyterLab and a real Chromium."""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from jupyter_client import BlockingKernelClient

from wf_notebook.storage.schema import COLUMNS, STEP_VIEWS, VIEWS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from IPython.core.interactiveshell import InteractiveShell
    from playwright.sync_api import Browser, Page

#: The developer's own, from before the tests are given an empty home.
ENVIRONMENT = dict(os.environ)

CHROMIUM_FLAGS = [
    *("--no-sandbox", "--headless=new", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests that load a model or drive a browser on one worker: together they would starve each other."""
    for item in items:
        if any(item.get_closest_marker(name) for name in ("model", "browser")):
            item.add_marker(pytest.mark.xdist_group("heavy"))


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    """Return a real IPython shell, the one that get_ipython() finds; its history is in no file, and nothing of it stays."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    main = sys.modules["__main__"]
    displayhook, excepthook = sys.displayhook, sys.excepthook
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(config=Config(HistoryManager={"enabled": False}))
    yield shell
    for extension in list(shell.extension_manager.loaded):
        shell.extension_manager.unload_extension(extension)
    atexit.unregister(shell.atexit_operations)
    shell.atexit_operations()
    shell.restore_sys_module_state()
    InteractiveShell.clear_instance()
    sys.modules["__main__"], sys.displayhook, sys.excepthook = main, displayhook, excepthook


@pytest.fixture(scope="session")
def models() -> Path:
    """Return the folder in which this developer keeps models: they are large, so tests share them."""
    code = "from wf_notebook.agents.files import folder; print(folder())"
    done = subprocess.run([sys.executable, "-c", code], env=ENVIRONMENT, capture_output=True, text=True, check=True)
    return Path(done.stdout.strip())


@pytest.fixture(scope="session")
def pulled(models: Path) -> Path:
    """Return the folder of models once the local model is in it, pulled as a user pulls it."""
    command = [sys.executable, "-m", "wf_notebook", "models", "pull", "smollm2"]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(f"the local model could not be pulled:\n{done.stdout}{done.stderr}")
    return models


@pytest.fixture
def local_model(pulled: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of the local model, which is there for this test."""
    monkeypatch.setenv("WF_MODELS", str(pulled))
    return "local:smollm2"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    """Return a running Postgres server; it ends with the tests."""
    server = runpy.run_path(str(Path(__file__).parents[1] / "tools" / "server.py"))["Server"]()
    yield server
    server.close()


class Schemas:
    """The schemas of a Postgres server, emptied and lent again: to make one takes longer than most tests."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._free: list[str] = []
        self._whole = {*COLUMNS, *VIEWS, *STEP_VIEWS, "workflow_sessions"}

    def lent(self) -> str:
        """Return the address of a schema in which nothing is."""
        return self._free.pop() if self._free else self._server.schema()

    def given_back(self, url: str) -> None:
        """Empty a schema that is as the first save makes it; drop any other."""
        import psycopg

        schema = url.rpartition("=")[2]
        sql = f"SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace('{schema}') AND relkind IN ('r', 'v')"
        tables = [table for table in COLUMNS if table != "schema_log"]
        with psycopg.connect(url.partition("?")[0], autocommit=True) as connection:
            is_whole = {name for (name,) in connection.execute(sql)} == self._whole
            if is_whole and connection.execute(f"SELECT count(*) FROM {schema}.schema_log").fetchone() == (2,):
                connection.execute("; ".join(f"DELETE FROM {schema}.{table}" for table in tables))
                self._free.append(url)
            else:
                connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")


@pytest.fixture(scope="session")
def schemas(postgres: Any) -> Schemas:
    """Return the schemas of the server."""
    return Schemas(postgres)


@pytest.fixture
def place(request: pytest.FixtureRequest) -> Iterator[Callable[[str], str]]:
    """Return what gives the address of a storage; of "postgres" that of a schema of the test's own."""
    lent: list[str] = []

    def address(kind: str) -> str:
        if kind != "postgres":
            return kind
        lent.append(request.getfixturevalue("schemas").lent())
        return lent[-1]

    yield address
    for url in lent:
        request.getfixturevalue("schemas").given_back(url)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of Chromium; a machine without it fails, and is told how to get it."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.fail("chromium is not on the PATH: apt-get install chromium")
    return path


class Browsing:
    """One Chromium for all tests of this process, and the playwright that drives it."""

    def __init__(self, chromium: str) -> None:
        self._chromium = chromium
        self._loop: asyncio.AbstractEventLoop | None = None

    @contextmanager
    def entered(self) -> Iterator[Browser]:
        """Give the browser to a test; all contexts that it makes in it are closed.

        While a playwright lives, its event loop counts as running in this thread, and no other one can run: so only here it does.
        """
        if self._loop and self._loop.is_running() and self._browser.is_connected():
            asyncio._set_running_loop(self._loop)
        else:  # none yet, or a test that ran out of its time broke off what the loop did
            self._start()
        assert self._loop
        try:
            yield self._browser
            for context in self._browser.contexts if self._loop.is_running() else ():
                context.close()
        finally:
            asyncio._set_running_loop(None)

    def _start(self) -> None:
        from playwright.sync_api import expect, sync_playwright

        expect.set_options(timeout=30_000)  # as all other waits
        self._playwright = sync_playwright().start()
        self._loop = asyncio.get_running_loop()
        self._browser = self._playwright.chromium.launch(executable_path=self._chromium, args=CHROMIUM_FLAGS)

    def close(self) -> None:
        """End the Chromium."""
        if self._loop and self._loop.is_running():
            asyncio._set_running_loop(self._loop)
            self._browser.close()
            self._playwright.stop()


@pytest.fixture(scope="session")
def browsing(chromium: str) -> Iterator[Browsing]:
    """Return the way into a Chromium that ends with the tests."""
    browsing = Browsing(chromium)
    yield browsing
    browsing.close()


@pytest.fixture
def page(browsing: Browsing) -> Iterator[Page]:
    """Return an empty page, 1280 by 900, as in a new Chromium; errors that scripts throw in it fail the test."""
    errors: list[str] = []
    with browsing.entered() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.on("pageerror", lambda error: errors.append(str(error)))
        yield page
    assert errors == []


@pytest.fixture
def picture(page: Page) -> Callable[[str], None]:
    """Return a way to leave a picture of the page in build/screenshots; `make pictures` puts those that docs/ shows there."""
    screenshots = Path(__file__).parent.parent / "build" / "screenshots"

    def take(name: str) -> None:
        screenshots.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=screenshots / f"{name}.png")

    return take


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab and the folder that it serves; times are in seconds."""

    url: str
    token: str
    root: Path

    def write(self, name: str, *cells: str) -> Path:
        """Write a notebook of these code cells into the folder, and return its path."""
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        # Without it JupyterLab asks which kernel to use.
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, self.root / name)
        return self.root / name

    def open(self, page: Page, name: str) -> None:
        """Open a notebook of the folder, and wait until its kernel is idle."""
        page.goto(f"{self.url}/lab/tree/{name}?reset&token={self.token}")
        page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=60_000)
        self.wait_until_idle(page)

    def run_all(self, page: Page, timeout: float = 60) -> None:
        """Run all cells by the menu, as a reader does, and wait until the last one has its number."""
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        last = page.locator(".jp-Notebook .jp-CodeCell .jp-InputArea-prompt").last
        last.filter(has_text=re.compile(r"\[\d+\]")).wait_for(timeout=timeout * 1000)
        self.wait_until_idle(page, timeout)

    def wait_until_idle(self, page: Page, timeout: float = 60) -> None:
        """Wait until the status bar says so (the toolbar says it before a kernel exists)."""
        page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for(timeout=timeout * 1000)


@pytest.fixture(scope="session")
def jupyter_lab(home: Path, models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Return a JupyterLab of this environment on a port of its own, in an empty folder; it ends with the tests."""
    root = tmp_path_factory.mktemp("lab")
    settings = home / ".jupyter/lab/user-settings/@jupyterlab/apputils-extension/notification.jupyterlab-settings"
    settings.parent.mkdir(parents=True)
    settings.write_text('{"fetchNews": "false", "checkForUpdates": false}')
    options = {"ip": "127.0.0.1", "port": 0, "root_dir": root, "disable_check_xsrf": True, "allow_root": True}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", *(f"--ServerApp.{name}={options[name]}" for name in options)]
    environment = {**os.environ, "WF_MODELS": str(models)}
    with subprocess.Popen(
        command, env=environment, cwd=home, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stderr is not None
        said = []
        for line in server.stderr:
            said.append(line)
            if found := re.search(r"(http://127\.0\.0\.1:[1-9]\d*)/lab\?token=(\w+)", line):
                break
        else:
            pytest.fail("JupyterLab did not start:\n" + "".join(said))
        # Its log must be read on, or the pipe fills and the server stops.
        reader = threading.Thread(target=said.extend, args=[server.stderr])
        reader.start()
        yield Lab(found[1], found[2], root)
        server.terminate()
        reader.join()


class Kernel:
    """The kernel of a page's notebook, seen from outside: what is run here is run beside the notebook's cells."""

    def __init__(self, lab: Lab, home: Path, name: str) -> None:
        request = urllib.request.Request(f"{lab.url}/api/sessions", headers={"Authorization": f"token {lab.token}"})
        with urllib.request.urlopen(request) as answer:
            (self.id,) = [session["kernel"]["id"] for session in json.load(answer) if session["path"] == name]
        (file,) = home.rglob(f"kernel-{self.id}.json")
        self._client: Any = BlockingKernelClient(connection_file=str(file))
        self._client.load_connection_file()
        self._client.start_channels()
        self._client.wait_for_ready(60)

    def value(self, code: str) -> Any:
        """Return what code prints, as JSON has it."""
        said: list[str] = []
        hook = lambda message: said.append(message["content"].get("text", ""))
        reply = self._client.execute_interactive(f"import json\nprint(json.dumps({code}))", output_hook=hook, timeout=60)
        assert reply["content"]["status"] == "ok", reply["content"]
        return json.loads("".join(said))

    def wait_for(self, code: str, value: Any) -> None:
        """Wait until code prints a value, as JSON has it: a page may be ahead of its kernel."""
        until = time.monotonic() + 30
        while (said := self.value(code)) != value:
            assert time.monotonic() < until, f"{code} is {said}"

    def run(self, code: str) -> None:
        """Begin to run code."""
        self._client.execute(code)

    def close(self) -> None:
        """Hear the kernel no more."""
        self._client.stop_channels()


@pytest.fixture
def kernel(jupyter_lab: Lab, home: Path) -> Iterator[Callable[[str], Kernel]]:
    """Return a way to the kernel of a notebook."""
    kernels: list[Kernel] = []

    def connect(name: str) -> Kernel:
        kernels.append(Kernel(jupyter_lab, home, name))
        return kernels[-1]

    yield connect
    for one in kernels:
        one.close()
