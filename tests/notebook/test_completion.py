from __future__ import annotations

import pytest
from IPython.core.completer import provisionalcompleter

pytestmark = pytest.mark.slow  # a shell for each


@pytest.fixture
def complete(cells):
    cells.good(
        "from wf_notebook import Workflow\nclass Blog(Workflow):\n    def run(self, topic, tone='dry'): yield topic\n"
        "%workflow blog -s demo topic='x'"
    )

    def complete(text):
        cursor = len(text.partition("\n")[0])
        with provisionalcompleter():
            found = list(cells.shell.Completer.completions(text, cursor))
        return [(text[: each.start] + each.text) for each in found]

    return complete


@pytest.mark.parametrize(
    ("text", "completed"),
    [
        ("%workflow bl", ["%workflow blog"]),
        ("%workflow blog to", ["%workflow blog topic=", "%workflow blog tone="]),
        ("%workflow blog topic='x' t", ["%workflow blog topic='x' tone="]),
        ("%workflow -s demo blog to", ["%workflow -s demo blog topic=", "%workflow -s demo blog tone="]),
        ("x = %workflow blog ton", ["x = %workflow blog tone="]),
        ("%workflow blog --s", ["%workflow blog --session", "%workflow blog --storage"]),
        ("%workflow blog -s ", ["%workflow blog -s demo"]),
        ("%workflow Blog ton", ["%workflow Blog tone="]),
        ("%%workflow \nclass BlogPost(Workflow):\n    def run(self, subject): ...", ["%%workflow blog_post"]),
        ("%%workflow mine su\nclass BlogPost(Workflow):\n    def run(self, subject): ...", ["%%workflow mine subject="]),
        ("%%workflow mine su\ndef run(self, subject): ...", ["%%workflow mine subject="]),
        ("%%workflow blog to\nclass is not Python", ["%%workflow blog topic=", "%%workflow blog tone="]),
    ],
)
def test_names_options_inputs_and_sessions_are_completed(complete, text, completed):
    assert complete(text) == completed


def test_after_a_workflow_without_inputs_only_options_are_offered(cells, complete):
    cells.good("class Plain(Workflow):\n    def run(self): yield 'x'")
    assert complete("%workflow plain ")[:2] == ["%workflow plain --session", "%workflow plain --storage"]
    assert all(each.startswith("%workflow plain --") for each in complete("%workflow plain "))


@pytest.mark.parametrize("text", ["%workflow blog topic='on t", "%workflow blog topic=\"it's t", "%workflow blog tone='i"])
def test_inside_a_text_neither_inputs_nor_names_are_offered(complete, text):
    assert [each for each in complete(text) if each != text] == []


def test_elsewhere_completion_is_as_it_was(complete):
    assert "%workflow blog topic=Blog" in complete("%workflow blog topic=Blo")
    assert "Blog" in complete("Blo")
    assert not [each for each in complete("%workflow unknown t") if each.endswith("=")]
