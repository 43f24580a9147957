"""A class whose cell is run again: values of it in the state go on, as values of the new class."""

from __future__ import annotations

POST = """
from dataclasses import dataclass
@dataclass
class Post:
    title: str
    score: int = 1
"""

FLOW = """
%%workflow blog --storage duckdb:///runs.duckdb title='a'
def run(self, title):
    self.session_state.setdefault('posts', []).append(Post(title))
    yield ', '.join(post.title for post in self.session_state['posts'])
"""


def test_values_of_a_class_that_was_defined_anew_are_of_the_new_class(cells):
    cells.good(POST)
    cells.good(FLOW.strip())
    old = cells.good("posts = blog.session_state['posts']\nold = posts[0]\nold")
    cells.good(POST.replace("score: int = 1", "score: int = 1\n    def shout(self): return self.title.upper()"))
    assert not hasattr(old, "shout")
    assert cells.good("%workflow blog title='b'").content == "a, b"
    assert cells.good("[post.shout() for post in blog.session_state['posts']]") == ["A", "B"]
    assert cells.good("blog.storage.session('blog').state['posts'] == blog.session_state['posts']")


def test_a_new_field_with_a_default_is_filled_in(cells):
    cells.good(POST)
    cells.good(FLOW.strip())
    cells.good(POST.replace("score: int = 1", "score: int = 1\n    tag: str = 'new'"))
    cells.good("%workflow blog title='b'")
    assert cells.good("[post.tag for post in blog.session_state['posts']]") == ["new", "new"]


def test_values_of_a_class_that_no_longer_takes_them_stay_as_they_were_stored(cells):
    cells.good(POST)
    cells.good(FLOW.strip())
    cells.good(POST.replace("score: int = 1", "author: str"))
    cells.good("store = blog.storage")
    kept = cells.good("posts = store.session('blog').state['posts']\nposts")
    assert [dict(post) for post in kept] == [{"title": "a", "score": 1}]
    cells.good(POST)
    assert cells.good("store.session('blog').state['posts'] == [Post('a')]")


def test_a_class_that_is_not_there_gives_its_fields_and_heals(cells):
    cells.good(POST)
    cells.good(FLOW.strip())
    cells.good("store = blog.storage\ndel Post\nsession = store.session('blog')")
    assert cells.good("dict(session.state['posts'][0])") == {"title": "a", "score": 1}
    cells.good("session.state['n'] = 1\nsession.save()")
    cells.good(POST)
    cells.good("session.load()")
    assert cells.good("session.state['posts'] == [Post('a')]")
    assert cells.good("store.session('blog').state['posts'] == [Post('a')]")
