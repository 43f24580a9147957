"""Import lines of Agno 1.x and phidata are changed to ours: in every layout, and nothing else changes."""

from __future__ import annotations

import ast
import contextlib
import io
import json
import re
import tokenize
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wf_notebook import RunEvent, Workflow, models, storage
from wf_notebook.errors import BadSource
from wf_notebook.porting import Change, ported
from wf_notebook.porting.names import EVENTS, PORTED, Here, here
from wf_notebook.porting.text import Text

NAMES = [(module, *name.partition("=")[::2]) for module, (_, names) in PORTED.items() for name in names.split()]


def text(source: str) -> str:
    return ported(dedent(source)).text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from agno.agent import Agent", "from wf_notebook import Agent"),
        ("from agno.agent.agent import Agent as A", "from wf_notebook import Agent as A"),
        ("from phi.workflow import Workflow, RunResponse, RunEvent", "from wf_notebook import Workflow, RunResponse, RunEvent"),
        ("from agno.run.response import RunEvent,RunResponse", "from wf_notebook import RunEvent,RunResponse"),
        ("from agno.utils.log import logger  # says why", "from wf_notebook import logger  # says why"),
        ("from  agno . models.xai   import(xAI)", "from  wf_notebook.models   import(xAI)"),
        (
            "from agno.storage.sqlite import SqliteStorage",
            "from wf_notebook.storage import SqliteWorkflowStorage as SqliteStorage",
        ),
        (
            "from agno.storage.postgres import PostgresStorage",
            "from wf_notebook.storage import PostgresWorkflowStorage as PostgresStorage",
        ),
        ("from phi.model.deepseek import DeepSeekChat as Chat", "from wf_notebook.models import DeepSeek as Chat"),
        ("from agno.workflow \\\n  import Workflow, \\\n  RunEvent", "from wf_notebook \\\n  import Workflow, \\\n  RunEvent"),
        ("import json, agno.workflow as w, os\nw.Workflow", "import json, wf_notebook as w, os\nw.Workflow"),
        ("import agno.models.openai as m\nm.OpenAIChat()", "import wf_notebook.models as m\nm.OpenAIChat()"),
        ("def f():\n\tfrom agno.agent import Agent\n", "def f():\n\tfrom wf_notebook import Agent\n"),
        ("if TYPE_CHECKING: from agno.agent import Agent", "if TYPE_CHECKING: from wf_notebook import Agent"),
        ("x = 'é'; from agno.agent import Agent; y = 1", "x = 'é'; from wf_notebook import Agent; y = 1"),
        ("try:\n    import agno.agent\nexcept ImportError: pass", "try:\n    import agno.agent\nexcept ImportError: pass"),
    ],
)
def test_an_import_is_changed_where_it_stands(before, after):
    assert ported(before).text == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "from agno.workflow import Workflow, WorkflowSession, RunEvent as E",
            "from wf_notebook import Workflow, RunEvent as E\nfrom agno.workflow import WorkflowSession",
        ),
        (
            "if x:\r\n    from agno.agent import AgentMemory, Agent  # noqa: F401\r\n",
            (
                "if x:\r\n    from agno.agent import AgentMemory  # noqa: F401\r\n    from wf_notebook import Agent  # noqa: F401"
                "\r\n"
            ),
        ),
        (
            "from agno.agent import Agent, AgentMemory  # who writes\n",
            "from wf_notebook import Agent\nfrom agno.agent import AgentMemory  # who writes\n",
        ),
        (
            "if TYPE_CHECKING: from agno.agent import Agent, AgentMemory\n",
            "if TYPE_CHECKING: from wf_notebook import Agent; from agno.agent import AgentMemory\n",
        ),
        (
            "from agno.agent import Agent, AgentMemory; x = 1\n",
            "from wf_notebook import Agent; from agno.agent import AgentMemory; x = 1\n",
        ),
        (
            "from agno.agent import Agent, \\\n    AgentMemory",
            "from wf_notebook import Agent\nfrom agno.agent import AgentMemory",
        ),
        (
            "from agno.agent import (Agent,\n                        AgentMemory,\n                        RunResponse)\n",
            "from wf_notebook import (Agent,\n                        RunResponse)\nfrom agno.agent import AgentMemory\n",
        ),
    ],
)
def test_an_import_is_split_where_some_names_stay(before, after):
    assert ported(before).text == after


def test_comments_go_with_their_names():
    before = """\
        from agno.models.openai import (  # noqa: F401
            OpenAIChat,  # chat, the best
            # not here, sadly
            OpenAIResponses,
            OpenAILike  # anything
            # that is all
        )  # models
        """
    after = """\
        from wf_notebook.models import (  # noqa: F401
            OpenAIChat,  # chat, the best
            OpenAILike  # anything
        )
        from agno.models.openai import (  # noqa: F401
            # not here, sadly
            OpenAIResponses,
            # that is all
        )  # models
        """
    assert text(before) == dedent(after)


@pytest.mark.parametrize(
    "source",
    [
        "from .agno.agent import Agent\n",
        "from agnostic.agent import Agent\n",
        "import agno_tools as agno\n",
        '"""\nfrom agno.agent import Agent\n"""\n',
        "# from agno.agent import Agent\n",
        "x = 'from agno.agent import Agent'\n",
        "from wf_notebook import Agent\n",
        "",
    ],
)
def test_what_is_no_import_of_theirs_stays(source):
    assert (ported(source).text, ported(source).changed, ported(source).left) == (source, (), ())


def test_each_change_is_told_with_its_line():
    done = ported("x = 1\n\nfrom agno.agent import (\n    Agent,\n)\n")
    assert done.changed == (Change(3, "from agno.agent import (\n    Agent,\n)", "from wf_notebook import (\n    Agent,\n)"),)
    assert done.diff == (
        "--- a/<source>\n+++ b/<source>\n@@ -1,5 +1,5 @@\n x = 1\n \n"
        "-from agno.agent import (\n+from wf_notebook import (\n     Agent,\n )\n"
    )
    assert ported("from agno.agent import Agent").diff.splitlines()[3:] == [
        "-from agno.agent import Agent",
        "\\ No newline at end of file",
        "+from wf_notebook import Agent",
        "\\ No newline at end of file",
    ]


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (
            "from agno.team import Team",
            "line 1: agno.team.Team has no counterpart here; call its members in run(), several at once by parallel(…)",
        ),
        (
            "\nfrom agno.tools.duckduckgo import DuckDuckGoTools",
            (
                "line 2: agno.tools.duckduckgo.DuckDuckGoTools stays, as a toolkit works as it is;"
                " nothing to do: Agent(tools=[toolkit]) takes it"
            ),
        ),
        (
            "from phi.knowledge.pdf import PDFKnowledgeBase",
            (
                "line 1: phi.knowledge.pdf.PDFKnowledgeBase has no counterpart here;"
                " it works as it is: give an agent a function that calls its search(…) as a tool"
            ),
        ),
        (
            "from agno.storage.mongodb import MongoDbStorage",
            (
                "line 1: agno.storage.mongodb.MongoDbStorage keeps sessions in a database that we have no storage for;"
                " use SqliteWorkflowStorage or DuckDbWorkflowStorage"
            ),
        ),
        (
            "from phi.model.aws.claude import Claude",
            "line 1: phi.model.aws.claude.Claude has no counterpart here; name it by Agent('bedrock:…')",
        ),
        (
            "from agno.workflow import WorkflowCompletedEvent",
            (
                "line 1: agno.workflow.WorkflowCompletedEvent is a class of events since Agno 1.6;"
                " here every event is a RunResponse: RunResponse(content, event=RunEvent.…)"
            ),
        ),
        (
            "from agno.utils.log import log_debug",
            "line 1: agno.utils.log.log_debug is a function; import logger, and call logger.debug(…)",
        ),
        ("import agno", "line 1: agno is imported as a module; write from agno import …, and port again"),
        (
            "import agno.storage.sqlite as s\ns.SqliteStorage()",
            "line 1: agno.storage.sqlite is imported as a module; write from agno.storage.sqlite import …, and port again",
        ),
        (
            "import agno.workflow as w\nw.Workflow, w.WorkflowSession",
            "line 1: agno.workflow is imported as a module; write from agno.workflow import …, and port again",
        ),
        (
            "import agno.workflow as w\nw.Workflow, vars(w)",
            "line 1: agno.workflow is imported as a module; write from agno.workflow import …, and port again",
        ),
        ("from agno.agent import *", "line 1: agno.agent.* brings whatever there is; name what is used, and port again"),
    ],
)
def test_what_stays_is_named_with_a_reason_and_a_remedy(source, told):
    done = ported(source)
    assert done.text == source
    assert [str(left) for left in done.left] == [told]


def test_an_event_of_later_releases_is_named():
    done = ported("from agno.run.response import RunEvent as E\nif e == E.run_response_content:\n    E.run_started\n")
    told = ["line 2: E.run_response_content is an event of Agno since 1.6; write E.run_response"]
    assert [str(left) for left in done.left] == told
    assert [str(left) for left in ported(done.text).left] == told


@pytest.mark.parametrize(
    "program",
    [
        "from agno.agent import Agent\nfrom agno.workflow import Workflow\nflow = Workflow(name='x', steps=[Agent()])\n",
        "from agno.agent import Agent\nfrom agno.workflow import Step, Workflow\nfrom steps import steps\n",
        "from agno.agent import Agent\nfrom agno.workflow.v2.workflow import Workflow\n",
        "from agno.agent import Agent\nfrom agno.workflow.v2 import Workflow\n",
    ],
)
def test_a_workflow_of_agno_2_stays_as_a_whole(program):
    done = ported(program)
    assert (done.text, done.changed) == (program, ())
    assert str(done.left[0]) == (
        "line 1: agno.agent.Agent stays beside a workflow of Agno 2, a list of steps;"
        " write a class with a run() that does them, and port again"
    )


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x = 1\nprint 'x'\n", "'old.py' is not Python, line 2: Missing parentheses in call to 'print'"),
        ("def f(:\n", "'old.py' is not Python, line 1: "),
        ("x\0", "'old.py' "),
        ("(" * 5000, "'old.py' "),
        ("-" * 200_000 + "1", "'old.py' "),
        ("x = '\ud800'", "'old.py' cannot be read as Python: "),
    ],
)
def test_what_is_not_python_is_an_error_of_one_line(source, message):
    with pytest.raises(BadSource) as error:
        ported(source, name="old.py")
    assert str(error.value).startswith(message)
    assert str(error.value).endswith("; mend it, and port again")
    assert "\n" not in str(error.value)


def test_what_the_compiler_would_warn_of_is_not_said():
    assert text("x = '\\d' is 1\nfrom agno.agent import Agent\n") == "x = '\\d' is 1\nfrom wf_notebook import Agent\n"


# -- the table -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("module", "old", "new"), NAMES)
def test_each_name_of_the_table_is_there(module, old, new):
    import wf_notebook

    rooms = {"wf_notebook": wf_notebook, "wf_notebook.models": models, "wf_notebook.storage": storage}
    found = here(module, old)
    assert found is not None
    assert found.name == (new or old)
    namespace: dict[str, object] = {}
    exec(text(f"from {module} import {old}"), namespace)
    assert namespace[old] is getattr(rooms[found.room], found.name)


def test_each_name_of_the_table_was_there_in_a_release_that_was_tried():
    """The data: what `import` found of the table in an environment with each release, and the models' packages beside it."""
    tried = json.loads((Path(__file__).parent.parent / "data" / "agno-names.json").read_text(encoding="utf-8"))
    assert {*tried} == {"agno 1.1.1", "agno 1.5.10", "agno 1.8.4", "phidata 2.7.10"}
    assert {name for names in tried.values() for name in names} == {f"{module}.{old}" for module, old, _ in NAMES}


def test_each_event_of_later_is_one_here():
    assert [event for event in EVENTS if event in RunEvent.__members__] == []
    assert {*EVENTS.values()} <= {*RunEvent.__members__}


# -- a whole program -----------------------------------------------------------------------------------------------------------

NEWS = '''\
"""🗞️ News, in two steps."""

import json
from textwrap import dedent
from typing import Iterator, Optional

from agno.agent import Agent, RunResponse
from agno.models.openai import OpenAIChat
from agno.run.response import RunEvent
from agno.storage.sqlite import SqliteStorage
from agno.utils.log import logger
from agno.workflow import Workflow
from pydantic import BaseModel, Field


class Article(BaseModel):
    title: str = Field(..., description="Its title.")
    url: str = Field(..., description="Where it is.")


class Articles(BaseModel):
    articles: list[Article]


class NewsReport(Workflow):
    searcher: Agent = Agent(model=OpenAIChat(id="gpt-4o-mini"), instructions=["Search."], response_model=Articles)
    writer: Agent = Agent(model=OpenAIChat(id="gpt-4o"), description=dedent("""You write."""), markdown=True)

    def run(self, topic: str, use_cache: bool = True) -> Iterator[RunResponse]:
        logger.info(f"Writing on: {topic}")
        found: Optional[str] = self.session_state.get("reports", {}).get(topic) if use_cache else None
        if found:
            yield RunResponse(content=found, event=RunEvent.workflow_completed)
            return
        articles: RunResponse = self.searcher.run(topic)
        text = json.dumps([article.model_dump() for article in articles.content.articles], indent=4)
        yield from self.writer.run(text, stream=True)
        self.session_state.setdefault("reports", {})[topic] = self.writer.run_response.content


def storage(file):
    return SqliteStorage(table_name="news", db_file=file, mode="workflow", auto_upgrade_schema=True)
'''


def test_a_ported_program_runs(tmp_path):
    from wf_notebook.testing import scripted

    done = ported(NEWS, name="news.py")
    assert done.left == ()
    assert "agno" not in done.text
    program: dict[str, Any] = {"__name__": "news"}
    exec(compile(done.text, "news.py", "exec", dont_inherit=True), program)
    answers = [program["Articles"](articles=[{"title": "Cheese", "url": "https://example.com"}]), "# Cheese\n\nAll of it."]
    for _ in range(2):  # the second time it is in the state
        flow: Workflow = program["NewsReport"](session_id="cheese", storage=program["storage"](str(tmp_path / "tmp" / "news.db")))
        flow.searcher.model, flow.writer.model = (scripted(answer) for answer in answers)
        assert flow.run(topic="cheese").result().content == "# Cheese\n\nAll of it."
        assert flow.session_state == {"reports": {"cheese": "# Cheese\n\nAll of it."}}
    assert flow.writer.model.requests == []


# -- any program ---------------------------------------------------------------------------------------------------------------

OTHERS = (
    "x = 1",
    "# from agno.agent import Agent",
    '''x = """{n}
from agno.agent import Agent
é \\N{{DUCK}} \f """''',
    "def f{n}(a, b=(1,\n    2)):\n    return a  ",
    "y = 'ß𝒳'; z = 2 ;  w = 3",
    "\f",
    "@print\nclass C{n}: pass",
    "if x: pass\nelse:\n\tpass",
    "s = f'{{x}} from agno import y' \\\n  'more'",
    "",
)
ALIASES = st.sampled_from(["", "", " as other{n}", "  as  ö{n}"])
ENDS = st.sampled_from(["\n", "\r\n", "\r"])


@st.composite
def imports(draw, number: int) -> str:
    """An import of theirs in any layout, with a comment or none behind each name."""
    module = draw(st.sampled_from([*PORTED]))
    known = [name.partition("=")[0] for name in PORTED[module][1].split()]
    names = draw(st.lists(st.sampled_from([*known, "Strange", "Other"]), min_size=1, max_size=4, unique=True))
    names = [name + draw(ALIASES).format(n=f"{number}_{i}") for i, name in enumerate(names)]
    before = draw(st.sampled_from(["", "if x: ", "if x:\n    ", "def g():\n\t", "a = 'é'; "]))
    after = draw(st.sampled_from(["", "  # noqa: F401", " # c, d", "; b = 2", " ;"]))
    layout = draw(st.sampled_from(["plain", "brackets", "lines", "continued"]))
    if layout == "plain":
        return f"{before}from {module} import {', '.join(names)}{after}"
    if layout == "continued":
        return f"{before}from  {module} \\\n  import " + ", \\\n ".join(names) + after
    if layout == "brackets":
        return f"{before}from {module} import({' , '.join(names)}{draw(st.sampled_from(['', ',']))} ){after}"
    pieces = ["(", draw(st.sampled_from(["", "\n", "  # o, p (\n"]))]
    for i, name in enumerate(names):
        pieces += [draw(st.sampled_from(["", " ", "    ", f"\n  # over {number}_{i}, it\n  "])), name]
        commas = [",", " ,", f"  # behind {number}_{i}, it\n ,"]
        pieces.append(draw(st.sampled_from(commas if i < len(names) - 1 else ["", *commas])))
        pieces.append(draw(st.sampled_from(["", "\n", f"  # beside {number}_{i}, (it)\n"])))
    pieces += [draw(st.sampled_from(["", "\n", "\n# last\n  "])), ")"]
    return f"{before}from {module} import {''.join(pieces)}{after}"


@st.composite
def programs(draw) -> str:
    """A program, with one kind of line ends, with or without a last one and a mark of its order of bytes."""
    count = draw(st.integers(0, 6))
    parts = []
    for number in range(count):
        is_import = draw(st.booleans())
        parts.append(draw(imports(number)) if is_import else draw(st.sampled_from(OTHERS)).format(n=number))
    end = draw(ENDS)
    program = "\n".join(parts).replace("\n", end) + draw(st.sampled_from(["", end]))
    return draw(st.sampled_from(["", "\ufeff"])) + program


def tree(source: str) -> ast.Module:
    return ast.parse(source.removeprefix("\ufeff"))


def without_imports(source: str) -> list[str]:
    """All that the source has besides its import statements, character by character, in what stands between them."""
    text = Text(source.removeprefix("\ufeff"))
    spans = sorted(text.span(node) for node in ast.walk(tree(source)) if isinstance(node, ast.Import | ast.ImportFrom))
    ends = [0, *(end for _, end in spans)]
    return [text.source[end:start] for end, start in zip(ends, [*(start for start, _ in spans), len(text.source)], strict=True)]


def bound(source: str) -> list[tuple[str, Here]]:
    """Every name that is imported, and what it is here."""
    found = [
        (alias.asname or alias.name, here(node.module, alias.name) or Here(node.module, alias.name))
        for node in ast.walk(tree(source))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]
    return sorted(found)


def comments(source: str) -> set[str]:
    lines = source.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    return {token.string for token in tokenize.generate_tokens(io.StringIO(lines).readline) if token.type == tokenize.COMMENT}


@given(programs())
@example("from agno.agent import (Agent,Strange,RunEvent  # beside it, (here)\n)")
@example("from agno.agent import (Agent,Strange,RunEvent\n# last\n  )")
def test_nothing_but_imports_changes_and_each_name_comes_from_where_it_is_here(program):
    done = ported(program)
    assert bound(done.text) == bound(program)
    assert comments(done.text) == comments(program)
    kept = without_imports(done.text)
    for part in without_imports(program):  # what is between two imports that were one is new
        assert part in kept
        kept = kept[kept.index(part) + 1 :]
    assert done.text.startswith("\ufeff") == program.startswith("\ufeff")
    ends = {*re.findall(r"\r\n|\r|\n", program)} or {"\n"}
    assert {*re.findall(r"\r\n|\r|\n", done.text)} <= ends


@given(programs())
def test_what_was_ported_stays_as_it_is(program):
    once = ported(program)
    twice = ported(once.text)
    assert (twice.text, twice.changed) == (once.text, ())
    assert [left.name for left in twice.left] == [left.name for left in once.left]


@given(st.text())
def test_any_text_is_python_that_stays_or_an_error_of_ours(source):
    with contextlib.suppress(BadSource):
        assert ported(source).text == source
