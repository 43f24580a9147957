"""The four rules of the house, held by reading its source; each is shown to catch a breach."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

import wf_notebook
from wf_notebook.run import WAYS_UP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HOUSE = Path(wf_notebook.__file__).parent

#: The rooms from the ground up. A room may use what lies below, and on its own floor what stands before it.
FLOORS = """
0   nearest  errors  given  whole  processes  alone  exiting  users  ids
1   prices  budget  cancel  log  tally  run  events  background.thread  background.waiting  background  redact  spans
    porting.names  porting.text  porting.told  porting.layout  porting.uses  porting.statements  porting.python
    porting.cells  porting  addresses
2   codec.kind  codec.blobs  codec.stack  codec.classes  codec.custom  codec.scalars  codec.times
    codec.containers  codec.records  codec.enums  codec.models  codec.arrays  codec.ipc  codec.columns  codec.frames
    codec.moments  codec.arrow  codec.unknown  codec.table  codec.remedies
    codec.encoder  codec.decoder  codec.stale  codec
    kept  glance  changes  keys  encoding  merging  state  words  tabular  brief  diffs  readable
    keying.plain  keying.part  keying.parsing
    keying.remembered  keying.origin  keying.source  keying.normal  keying.bare  keying.reach
    keying.program
    keying.uses  keying.watch  keying.instances  keying.changing  keying.held  keying.things  keying.values
    keying.imports  keying.walk  keying.members
    keying.subject  keying.functions  keying.graph  keying.binding  keying.keyer  keying.differing  keying
3   transaction  accounts  owners  unit  replayed  line  sharing  done  steps  remembers  known  history  conflicts  writing
    exported  session
4   storage.place  storage.waiting  storage.lock  storage.thread  storage.folding  storage.schema  storage.moment
    storage.inserts  storage.finished  storage.steps  storage.carried  storage.rows  storage.together  storage.no_rows
    storage.standing  storage.erasing  storage.units  storage.cargo  storage.elsewhere
    storage.asking  storage.tables
    storage.apart  storage.runs  storage.sql  storage.copying  storage.agno
    storage.postgres_address  storage.postgres_dialect  storage.postgres_driver  storage.postgres_connection
    storage.postgres_rows  storage.postgres_claims  storage.postgres_pool  storage.postgres_errors  storage.postgres_asked
    storage.postgres
    storage.duckdb_errors  storage.duckdb_connection
    storage.duckdb_checkpoints  storage.duckdb_attach
    storage.duckdb_file  storage.duckdb_rewrite  storage.duckdb_asked  storage.duckdb
    storage.sqlite_errors  storage.sqlite_asked  storage.sqlite  storage.memory  storage.answering
    storage.texts  storage.files  storage
    render.status  render.highlight  render.notation  render.markdown  render.carrying  render.splitting  render.growing
    render.safe  render.grid  render.pictures  render.said  render.transcript  render.content  render.bars  render.timeline
    render.layout  render.cap  render.made  render.record  render.player  render.terminal  render
5   inputs  foreign  settings  source  journal  saver  told  traced  record  context  place  stream  outcome  keeping
    cache.modes  cache.lease  cache.trail  cache.heard  cache.given  cache.remembering  cache.telling  cache.whose  cache.blind
    cache.stretch  cache.call  cache.functions  cache  offering  workflow
    scratch  planning
    sweep.row  sweep.over  sweep.progress  sweep.kinds  sweep.rows  sweep.session  sweep.tasks  sweep.turns  sweep.doing
    sweep.keeping  sweep.crew
    sweep.wire  sweep.shipped  sweep.suspects  sweep.dask  sweep.halls  sweep.settings  sweep.away  sweep.remote  sweep.hand
    sweep.posting  sweep.handout  sweep.dispatch  sweep.hiring  sweep.leaving  sweep.sight  sweep.account  sweep.standing
    sweep.sweep  sweep.mapping  sweep
    branch  crew  merged  branches
    agents.media  agents.attachments  agents.files  agents.pull  agents.local  agents.resolve  agents.transcript
    agents.arguments  agents.settings  agents.prompt  agents.history  agents.pieces  agents.keyed
    agents.again  agents.tracebacks  agents.tools
    agents.limits  agents.retries  agents.failures  agents.tokens  agents.ending  agents.requests  agents.parts
    agents.tracing  agents.noting  agents.engine  agents.answering  agents.call
    agents.remembered  agents.stream  agents.agent  agents.pydantic  agents.functions
    agents.merging  agents.made_of  agents.asked  agents.others  agents.agno  agents.langchain
    agents.langgraph  agents.once_more  agents.adapters  agents  models
6   frames.columns  frames.exports  frames.records  frames.cells  frames.text  frames.html  frames.table
    frames.copies  frames.reading  frames.steps  frames.sweeps  frames.queries  frames.folding  frames.past
    frames.differing  frames
    comparing.recorded  comparing.remembered  comparing.home  comparing.again  comparing.calling  comparing.asking
    comparing.step  comparing.row  comparing.given  comparing.scoring  comparing.drawing  comparing.comparison
    comparing.running  comparing
    inspection.place  inspection.shape  inspection.loaded  inspection.nodes  inspection.glances  inspection.selecting
    inspection.marks  inspection.grids  inspection.jsontext  inspection.first  inspection.overview  inspection.results
    inspection.as_table  inspection.recorded  inspection.listing  inspection.beginnings  inspection.comparing
    inspection.written  inspection.changing  inspection.acting  inspection.looking  inspection.sessions
    inspection.still  inspection.drawn  inspection.static  inspection.workflow  inspection.tree  inspection.values
    inspection.search  inspection.copying  inspection.past
    inspection.editing  inspection.queries  inspection.runs  inspection.takes  inspection.answers
    inspection.watching  inspection.news  inspection.hearing  inspection
    swept.afar  swept.said  swept.board  swept.record  swept.bar  swept.watched  swept
    ipynb.options  ipynb.line  ipynb.given_rows  ipynb.cell  ipynb.defining  ipynb.workflows
    ipynb.file  ipynb.naming  ipynb.cells  ipynb.needs  ipynb.running  ipynb.loading
    ipynb.outputs  ipynb.reran  ipynb.executing  ipynb.rerunning
    ipynb.files  ipynb.calls  ipynb.report  ipynb.safe  ipynb.making  ipynb.page  ipynb.prose  ipynb.document
    ipynb.exporting  ipynb.whereabouts  ipynb.going  ipynb.places  ipynb.standing  ipynb
    verbs.asked  verbs.looking  verbs.following  verbs.acting  verbs.leaving  verbs.stopping  verbs.replaying  verbs.table  verbs
7   testing
    notebook.body  notebook.failure
    notebook.widget  notebook.displayed  notebook.views  notebook.hearing  notebook.loose  notebook.stopping  notebook.remains
    notebook.letting_go  notebook.live  notebook.sweeping  notebook.background  notebook.again  notebook.taking_in
    notebook.shown  notebook.variables  notebook.inspecting
    notebook.known  notebook.planned  notebook.attaching  notebook.compared
    notebook.wanted  notebook.controls  notebook.fields  notebook.pane  notebook.card  notebook.form  notebook.forms
    notebook.verbs  notebook.magics  notebook.completion  notebook
    cli.wording  cli.manner  cli.failing  cli.command  cli.showing  cli.inputs  cli.streaming  cli.completing
    cli.verbs  cli.inspect  cli.models  cli.detached  cli.mapping  cli.run  cli.attach  cli.status  cli.replay  cli.rerun
    cli.compare  cli.port
    cli.doctor.check  cli.doctor.versions  cli.doctor.model  cli.doctor.store  cli.doctor.front_end  cli.doctor  cli  __main__
8   __init__
"""
ORDER = re.findall(r"[a-z_.]+", FLOORS)

#: Who may import what others may not: package → rooms.
WALL = {
    **dict.fromkeys(("IPython", "traitlets", "anywidget", "ipywidgets", "ipykernel", "comm"), ("notebook",)),
    "duckdb": (
        "storage.duckdb_connection",
        "storage.duckdb_attach",
        "storage.duckdb_file",
        "storage.duckdb_errors",
        "storage.duckdb_asked",
        "storage.files",
    ),
    "sqlite3": ("storage.sqlite", "storage.sqlite_errors", "storage.sqlite_asked"),
    "psycopg": ("storage.postgres_driver",),
    "cloudpickle": ("sweep.shipped",),
    **dict.fromkeys(("distributed", "dask"), ("sweep.dask",)),
    **dict.fromkeys(("pydantic_ai", "openai", "xllamacpp", "agno", "langchain_core", "langgraph"), ("agents",)),
}

#: What is heavy, and so not loaded by `import wf_notebook`.
HEAVY = (
    *(*WALL, "anyio", "click", "markdown_it", "nbformat", "platformdirs", "pydantic", "nh3", "pygments", "rich"),
    *("numpy", "pandas", "polars", "pyarrow"),
)

#: Rooms that must not know each other although the floors would allow it.
STRANGERS = {
    "workflow": ("agents", "notebook"),
    "stream": ("agents", "notebook"),
    "cli": ("notebook",),
    "__main__": ("notebook",),
}

#: The only places that import by a name: from a table the front door's names, the ways up and the storages by their address,
#: from a stored value the modules that the user trusts, and for a key what the user's function imports when it runs.
BY_NAME = ("__init__", "run", "storage", "codec.classes", "keying.imports")


class Import(NamedTuple):
    """One import, wherever it stands, and when it happens: "load", "call" (inside a function) or "typing" (never)."""

    room: str
    line: int
    target: str
    when: str


@cache
def parsed(text: str) -> ast.Module:
    """Return the tree of a source; most files are read many times."""
    return ast.parse(text)


def rooms(house: Path) -> dict[str, ast.Module]:
    """Return the parsed modules of the package, named from within it: "run", "storage", "storage.sql", "__init__"."""
    found = {}
    for path in sorted(house.rglob("*.py")):
        parts = path.relative_to(house).with_suffix("").parts
        name = ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)
        found[name] = parsed(path.read_text(encoding="utf-8"))
    return found


def statements(node: ast.AST, when: str = "load") -> Iterator[tuple[ast.Import | ast.ImportFrom, str]]:
    """Yield the import statements below a node, and when each happens."""
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.Import() | ast.ImportFrom():
                yield child, when
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                yield from statements(child, "call")
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                yield from statements(child, "typing")
            case ast.stmt() | ast.ExceptHandler() | ast.match_case():
                yield from statements(child, when)


def imports(house: Path) -> Iterator[Import]:
    """Yield every import; one of our own is named as in `rooms`, a foreign one by its full name."""
    modules = rooms(house)
    for room, tree in modules.items():
        is_package = (house / Path(*room.split(".")) / "__init__.py").exists()
        here = [] if room == "__init__" else room.split(".") if is_package else room.split(".")[:-1]
        for node, when in statements(tree):
            start = []
            if isinstance(node, ast.ImportFrom):
                start = ["wf_notebook", *here[: len(here) - node.level + 1]] if node.level else []
                start += [node.module] if node.module else []
            for alias in node.names:
                yield Import(room, node.lineno, own_name(".".join([*start, alias.name]), modules), when)


def own_name(name: str, modules: dict[str, ast.Module]) -> str:
    """Return the room that an imported name lies in, or the name itself if it is not ours."""
    if name.split(".", maxsplit=1)[0] != "wf_notebook":
        return name
    parts = name.split(".")[1:]
    while parts and ".".join(parts) not in modules:
        parts.pop()
    return ".".join(parts) or "__init__"


def within(name: str, room: str) -> bool:
    """Return whether a dotted name is `room` or lies in it."""
    return name == room or name.startswith(f"{room}.")


def doors_that_open_upwards(house: Path) -> list[str]:
    """Rule 1: a room uses only what is below it, in whatever way it imports; and every room has its place."""
    modules = rooms(house)
    found = [f"{room} stands on no floor" for room in modules if room not in ORDER]
    found += [f"{room} is on a floor and not there" for room in ORDER if room not in modules]
    found += [
        f"{door.room}:{door.line} imports {door.target}, which is above it"
        for door in imports(house)
        if door.room in ORDER and door.target in ORDER and ORDER.index(door.target) > ORDER.index(door.room)
    ]
    for room, tree in modules.items():
        calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
        names = {
            call.id if isinstance(call, ast.Name) else call.attr for call in calls if hasattr(call, "id") or hasattr(call, "attr")
        }
        if room not in BY_NAME and names & {"import_module", "__import__"}:
            found.append(f"{room} imports by name, which only {', '.join(BY_NAME)} may")
    return found


def holes_in_the_wall(house: Path) -> list[str]:
    """Rule 2: IPython and widgets only in notebook/, a driver only in its storage, pydantic-ai only in agents/."""
    return [
        f"{door.room}:{door.line} imports {door.target}, which is for {' and '.join(owners)}"
        for door in imports(house)
        if (owners := WALL.get(door.target.split(".")[0])) and not any(within(door.room, owner) for owner in owners)
        if not (door.room == "testing" and door.when != "load")
    ]


def strangers_that_meet(house: Path) -> list[str]:
    """Rule 3: the engine knows neither agents nor notebook, the command line no notebook."""
    return [
        f"{door.room}:{door.line} imports {door.target}, which it must not know"
        for door in imports(house)
        for room, strangers in STRANGERS.items()
        if within(door.room, room) and any(within(door.target, stranger) for stranger in strangers)
    ]


def uses_of_the_front_door(house: Path) -> list[str]:
    """Rule 4: nobody inside uses the front door, and no module bears a public name of it."""
    front = next(
        node.value for node in rooms(house)["__init__"].body if isinstance(node, ast.Assign) and node.targets[0].id == "__all__"
    )
    public = ast.literal_eval(front)
    found = [f"{door.room}:{door.line} uses the front door" for door in imports(house) if door.target == "__init__"]
    return found + [f"{room} is also a public name" for room in rooms(house) if room in public]


def rooms_too_large(house: Path) -> list[str]:
    """A file has 300 lines at most."""
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in sorted(house.rglob("*.py"))}
    return [f"{path.relative_to(house)} has {count} lines" for path, count in lines.items() if count > 300]


RULES = (doors_that_open_upwards, holes_in_the_wall, strangers_that_meet, uses_of_the_front_door, rooms_too_large)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps_its_rules(rule: Callable[[Path], list[str]]):
    assert rule(HOUSE) == []


@pytest.mark.parametrize(
    ("rule", "room", "text", "report"),
    [
        (doors_that_open_upwards, "state.py", "from .workflow import Workflow", "imports workflow"),
        (doors_that_open_upwards, "state.py", "from . import session", "imports session"),
        (doors_that_open_upwards, "state.py", "import wf_notebook.session", "imports session"),
        (doors_that_open_upwards, "errors.py", "def late():\n    from .run import current", "imports run"),
        (doors_that_open_upwards, "run.py", "if TYPE_CHECKING:\n    from .events import RunEvent", "imports events"),
        (doors_that_open_upwards, "storage/sql.py", "from ..workflow import Workflow", "imports workflow"),
        (doors_that_open_upwards, "storage/sql.py", "from . import duckdb", "imports storage.duckdb"),
        (doors_that_open_upwards, "storage/__init__.py", "from ..workflow import Workflow", "imports workflow"),
        (doors_that_open_upwards, "state.py", "import_module('.workflow', __package__)", "imports by name"),
        (doors_that_open_upwards, "utils.py", "", "utils stands on no floor"),
        (holes_in_the_wall, "workflow.py", "import IPython", "imports IPython"),
        (holes_in_the_wall, "render.py", "def show():\n    from IPython.display import HTML", "imports IPython"),
        (holes_in_the_wall, "session.py", "if TYPE_CHECKING:\n    import duckdb", "imports duckdb"),
        (holes_in_the_wall, "storage/sql.py", "import sqlite3 as driver", "imports sqlite3"),
        (holes_in_the_wall, "notebook/live.py", "from pydantic_ai.models import Model", "imports pydantic_ai"),
        (holes_in_the_wall, "testing.py", "import traitlets", "imports traitlets"),
        (strangers_that_meet, "workflow.py", "def run():\n    from .agents import Agent", "imports agents"),
        (strangers_that_meet, "cli/verbs.py", "from ..notebook.live import show", "imports notebook"),
        (strangers_that_meet, "cli/__init__.py", "def late():\n    from ..notebook import live", "imports notebook"),
        (uses_of_the_front_door, "workflow.py", "from . import RunResponse", "uses the front door"),
        (uses_of_the_front_door, "notebook/live.py", "from wf_notebook import Workflow", "uses the front door"),
        (uses_of_the_front_door, "notebook/live.py", "def late():\n    import wf_notebook", "uses the front door"),
        (uses_of_the_front_door, "Agent.py", "", "Agent is also a public name"),
        (rooms_too_large, "utils.py", "\n" * 301, "utils.py has"),
    ],
)
def test_a_breach_is_reported(rule: Callable[[Path], list[str]], room: str, text: str, report: str, tmp_path: Path):
    house = tmp_path / "wf_notebook"
    shutil.copytree(HOUSE, house, ignore=shutil.ignore_patterns("__pycache__", "static"))
    before = {*rule(HOUSE)}
    (house / room).parent.mkdir(exist_ok=True)
    with (house / room).open("a") as file:
        file.write(f"\n{text}\n")
    reported = {*rule(house)} - before
    assert any(report in line for line in reported), reported


def test_a_test_shell_may_be_made_inside_a_function_of_testing(tmp_path: Path):
    (tmp_path / "testing.py").write_text("def shell():\n    from IPython import get_ipython\n")
    assert holes_in_the_wall(tmp_path) == []


def test_importing_the_package_loads_nothing_heavy():
    code = f"import sys, wf_notebook; print([name for name in {HEAVY} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_loading_the_extension_loads_no_database_and_no_frames():
    code = (
        "import sys; from IPython.core.interactiveshell import InteractiveShell\n"
        "InteractiveShell.instance().run_line_magic('load_ext', 'wf_notebook')\n"
        "print([name for name in ('duckdb', 'psycopg', 'numpy', 'pandas', 'polars', 'pydantic') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


@pytest.mark.parametrize("way", WAYS_UP)
def test_a_way_up_leads_somewhere(way: str):
    module, _, function = WAYS_UP[way].partition(":")
    assert callable(getattr(import_module(module), function))


def calls_of_way_up(node: ast.AST, method: str = "") -> Iterator[tuple[str, str]]:
    """Yield each name that is asked for, and the method, or else the function, that asks for it."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call) and isinstance(child.func, ast.Name) and child.func.id == "way_up":
            yield ast.literal_eval(child.args[0]), method
        name = child.name if isinstance(child, ast.ClassDef | ast.FunctionDef) else ""
        yield from calls_of_way_up(child, f"{method}.{name}".strip("."))


def test_every_way_up_is_used_where_it_says_and_no_other_one_is():
    asked = [call for tree in rooms(HOUSE).values() for call in calls_of_way_up(tree)]
    assert {name for name, _ in asked} == {*WAYS_UP}
    assert [(name, method) for name, method in asked if "." in name and name != method] == []


def test_every_public_name_is_at_the_front_door():
    assert {name for name in wf_notebook.__all__ if getattr(wf_notebook, name, None) is None} == set()


def test_no_text_of_the_house_names_a_higher_room_as_module_and_function_but_the_ways_up():
    found = [room for room, tree in rooms(HOUSE).items() if re.search(r"'wf_notebook[\w.]*:\w+'", ast.unparse(tree))]
    assert found == ["run"]
