"""The site that `make docs` builds: without a warning, with every public name, and with nothing to fetch."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zlib
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import pytest

from wf_notebook import storage

if TYPE_CHECKING:
    from types import ModuleType

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("site")]

REPOSITORY = Path(__file__).parent.parent

#: uv finds its cache in the developer's home, which tests do not see otherwise.
ENVIRONMENT = dict(os.environ)

#: What a page fetches by itself: all but the links that a reader clicks.
FETCHED = re.compile(
    r"""<(?!a\b)[^>]*\s(?:src|href|srcset|poster|data)="([^"]+)|\burl\(["']?([^"')]+)|@import\s+["']([^"']+)|\b(?:fetch|import)\(["']([^"']+)"""
)


class Site(NamedTuple):
    """The built site, and the Python that built it."""

    folder: Path
    python: Path

    def pages(self) -> dict[str, str]:
        return {path.relative_to(self.folder).as_posix(): path.read_text("utf-8") for path in self.folder.rglob("*.html")}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Return the site as it is built in an environment of its own; a warning fails all tests here."""
    folder = tmp_path_factory.mktemp("docs")
    built = subprocess.run(
        [sys.executable, REPOSITORY / "tools" / "site.py", folder], env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert (built.returncode, built.stderr) == (0, "")
    return Site(folder / "site", folder / ".venv" / "bin" / "python")


def names(inventory: Path) -> set[str]:
    """Return the Python names that a site says something about."""
    lines = zlib.decompress(inventory.read_bytes().split(b"\n", 4)[4]).decode().splitlines()
    return {line.split()[0] for line in lines if line.split()[1].startswith("py:")}


def public_names(room: ModuleType) -> list[str]:
    """Return what a module says is public; of one that does not say it, the classes that it defines."""
    classes = [name for name, value in vars(room).items() if isinstance(value, type) and value.__module__ == room.__name__]
    return getattr(room, "__all__", [name for name in classes if not name.startswith("_")])


def test_every_public_name_is_in_the_reference(site):
    rooms = [import_module(f"wf_notebook{room}") for room in ("", ".storage", ".models", ".errors", ".testing", ".agents")]
    public = {f"{room.__name__}.{name}" for room in rooms for name in public_names(room)}
    public -= {"wf_notebook.agents.Agent", "wf_notebook.storage.open_storage"}  # said once, at the front door
    assert sorted(public - names(site.folder / "objects.inv")) == []


def test_every_kind_of_storage_is_public():
    assert {entry.partition(":")[2] for entry in storage.SCHEMES.values()} <= {*storage.__all__}


def test_every_page_of_the_docs_and_every_notebook_is_in_it_and_found_from_the_first_page(site):
    sources = [*REPOSITORY.glob("docs/*.md"), *REPOSITORY.glob("notebooks/*.ipynb")]
    wanted = {path.relative_to(REPOSITORY).with_suffix(".html").as_posix() for path in sources}
    pages = site.pages()
    assert wanted <= {*pages}
    assert wanted <= {*re.findall(r'<a class="reference internal" href="([^"#]+)"', pages["index.html"])}


def test_a_notebook_is_shown_with_what_was_saved_of_it(site):
    walk = site.pages()["notebooks/05_sessions_and_state.html"]
    assert "✓ completed" in walk
    assert 'class="wf-still' in walk


def test_nothing_is_fetched_from_elsewhere(site):
    files = [path for path in site.folder.rglob("*") if path.suffix in {".html", ".css", ".js", ".svg"}]
    fetched = {address for path in files for found in FETCHED.findall(path.read_text("utf-8")) for address in found if address}
    assert len(fetched) > 20
    assert [address for address in fetched if address.startswith("//") or urlsplit(address).scheme not in {"", "data"}] == []


@pytest.mark.parametrize(
    "text",
    [
        '<script src="https://cdn.example/x.js"></script>',
        '<link rel="stylesheet" href="//fonts.example/x.css" />',
        "<style>@import 'https://a.example/x.css';</style>",
        "<style>div { background: url(https://a.example/x.png) }</style>",
        '<script>fetch("https://a.example/seen")</script>',
    ],
)
def test_what_a_page_would_fetch_is_seen(text):
    (found,) = FETCHED.findall(text)
    assert "example" in "".join(found)


def test_links_to_elsewhere_are_whole(site):
    links = {link for page in site.pages().values() for link in re.findall(r'<a [^>]*href="([a-z]+:[^"]+)', page)}
    assert links
    assert [link for link in links if urlsplit(link).scheme not in {"https", "mailto"} or "." not in urlsplit(link).netloc] == []


def test_what_leads_nowhere_is_an_error(site, tmp_path):
    broken = {
        "[page](docs/gone.md)": "docs/gone.md",
        "[anchor](CHANGELOG.md#nowhere)": "nowhere",
        "![picture](docs/gone.png)": "image file not readable: docs/gone.png",
        "```{eval-rst}\n.. autofunction:: wf_notebook.gone\n```": "failed to import 'gone'",
    }
    (tmp_path / "README.md").write_text("\n\n".join(["# Home", *broken, "[whole](CHANGELOG.md#somewhere)"]))
    (tmp_path / "CHANGELOG.md").write_text("# Changes\n\n## Somewhere\n")
    sphinx = [site.python, "-m", "sphinx", "--quiet", "--fail-on-warning", "--keep-going", "--conf-dir", REPOSITORY / "docs"]
    built = subprocess.run([*sphinx, tmp_path, tmp_path / "site"], capture_output=True, text=True, check=False)
    assert built.returncode != 0
    assert [warning for warning in broken.values() if warning not in built.stderr] == []
    assert built.stderr.count("WARNING:") == len(broken)
