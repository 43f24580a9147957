"""The site of README, docs/ and notebooks/: `make docs` builds it, without a network, and without one it is read.

Sphinx with MyST-NB and Furo, as they are kept up: MkDocs 1 has had no release since August 2024, and MkDocs 2 is to have
none of the plugins that an API reference and notebooks need there. Notebooks are shown as they were saved, and never executed.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import wf_notebook

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = html_title = "wf_notebook"
version = release = wf_notebook.__version__
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]

# The source is the repository itself, so that a link leads to the same place here and on a code host.
root_doc = "README"
include_patterns = ["*.md", "docs/*.md", "notebooks/*.ipynb", "benchmarks/*.md"]
exclude_patterns = ["binder", "build", "tests", "tools", "wf_notebook", "**/.*"]
#: The guides in the order in which a newcomer needs them; others follow.
GUIDES = [
    *("installing", "binder", "notebook", "models", "parallel", "sweeps", "cache", "compare", "state", "team", "postgres"),
    *("inspector", "record", "form"),
    *("dask", "programs", "rerun", "testing", "adapters", "observability", "editors"),
]
HOUSE = ["docs/architecture", "docs/reference", "CONTRIBUTING", "CHANGELOG"]

myst_heading_anchors = 3
nb_execution_mode = "off"
nb_ipywidgets_js: dict[str, Any] = {}  # what is saved holds no widgets; the scripts for them would be fetched

default_role = "code"  # `x` in a docstring is code, as in Markdown
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 90
napoleon_numpy_docstring = False

html_theme = "furo"
html_copy_source = html_show_copyright = html_show_sphinx = False
html_show_search_summary = False  # it would fetch each page, which a browser refuses where the site is a folder


def place(page: str) -> int:
    """Return which guide a page is."""
    name = page.removeprefix("docs/")
    return GUIDES.index(name) if name in GUIDES else len(GUIDES)


def contents(app: Sphinx, docname: str, source: list[str]) -> None:
    """Add to the first page what leads to the others; on a code host its links and the folders do."""
    if docname == root_doc:
        found = sorted(app.env.found_docs - {root_doc, *HOUSE})
        groups = {
            "Notebooks": [page for page in found if page.startswith("notebooks/")],
            "Guides": sorted((page for page in found if page.startswith("docs/")), key=place),
            "The house": [page for page in HOUSE if page in app.env.found_docs],
            "As measured": [page for page in found if page.startswith("benchmarks/")],
        }
        for caption, pages in groups.items():
            source[0] += "\n".join(["", "```{toctree}", ":hidden:", f":caption: {caption}", "", *pages, "```", ""])


def front_page(app: Sphinx, error: Exception | None) -> None:
    """Let the folder show the first page when it is opened."""
    if error is None:
        shutil.copyfile(Path(app.outdir, f"{root_doc}.html"), Path(app.outdir, "index.html"))


def setup(app: Sphinx) -> None:
    """Tell Sphinx when to do both."""
    app.connect("source-read", contents)
    app.connect("build-finished", front_page)
