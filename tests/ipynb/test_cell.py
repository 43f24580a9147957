from __future__ import annotations

import ast

import pytest

from wf_notebook.errors import BadCell
from wf_notebook.ipynb.cell import Outline, camel_case, choose, join_line, outline, snake_case


def test_a_backslash_continues_the_line_and_the_body_keeps_its_line_numbers():
    line, body = join_line("blog -s demo \\", '    topic="cats" \\\n    n=3\nimport os\n')
    assert (line, body) == ('blog -s demo topic="cats" n=3', "\n\nimport os\n")
    assert join_line("blog", "import os") == ("blog", "import os")


def test_only_what_the_top_level_defines_belongs_to_the_outline():
    body = '''
"""Writes."""
import os
class Post(BaseModel): ...
a, (b, *c) = d[e] = 1, (2, 3)
limit: int = 3
later: int
def helper(x): inner = 1
async def run(self, topic): local = 2
'''
    assert outline(ast.parse(body)) == Outline(("Post",), ("run",), ("a", "b", "c", "limit"), "Writes.")


@pytest.mark.parametrize(
    ("title", "instance"),
    [("Blog", "blog"), ("BlogPostGenerator", "blog_post_generator"), ("HTTPReport2", "http_report2"), ("blog", "blog")],
)
def test_an_instance_is_named_after_its_class(title, instance):
    assert snake_case(title) == instance


def test_a_class_is_named_after_its_instance():
    assert [camel_case("blog_post"), camel_case("BlogPost")] == ["BlogPost", "BlogPost"]


@pytest.mark.parametrize(
    ("classes", "name", "chosen"),
    [
        (("BlogPost",), None, ("BlogPost", "blog_post")),
        (("BlogPost",), "BlogPost", ("BlogPost", "blog_post")),
        (("BlogPost",), "mine", ("BlogPost", "mine")),
        (("News", "BlogPost"), "blog_post", ("BlogPost", "blog_post")),
        (("News", "BlogPost"), "BlogPost", ("BlogPost", "blog_post")),
    ],
)
def test_the_name_on_the_line_is_the_instances(classes, name, chosen):
    assert choose(classes, name) == chosen


@pytest.mark.parametrize(
    ("classes", "name", "message"),
    [
        (("News", "Blog"), None, "the cell has several workflows, 'news', 'blog'; name one of them on the line"),
        (("News", "Blog"), "blgo", "the cell has several workflows, 'news', 'blog'; did you mean 'blog'?"),
        (("blog",), None, "class and instance cannot both be 'blog'; write %%workflow with another name"),
    ],
)
def test_a_name_that_decides_nothing_is_refused(classes, name, message):
    with pytest.raises(BadCell) as caught:
        choose(classes, name)
    assert str(caught.value) == message
