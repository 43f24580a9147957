"""Classes are looked up where they are; a crafted file gives data and runs nothing; what the user teaches is used."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from types import ModuleType

import pytest

from wf_notebook.codec import Unknown, comes_back, register_codec, trust
from wf_notebook.codec.classes import find, name_of
from wf_notebook.errors import BadSetting, UnsavableValue


@dataclass
class Post:
    title: str


class Client:
    def __init__(self, url):
        self.url = url

    def __eq__(self, other):
        return type(self) is type(other) and self.url == other.url

    def __hash__(self):
        return hash(self.url)


@pytest.fixture
def client():
    """Return a client that the codec was taught to keep, until the test ends."""
    from wf_notebook.codec import custom

    before = dict(custom._by_name), dict(custom._by_class)
    register_codec(Client, encode=lambda client: {"url": client.url}, decode=lambda said: Client(**said))
    yield Client("http://a")
    custom._by_name.clear()
    custom._by_name.update(before[0])
    custom._by_class.clear()
    custom._by_class.update(before[1])


# -- crafted files -------------------------------------------------------------------------------------------------------------

NAMES = ["subprocess:Popen", "os:system", "builtins:eval", "builtins:exec", "builtins:type", "pathlib:Path", "posix:system"]
TAGS = ["$dataclass", "$model", "$attrs", "$namedtuple", "$enum", "$custom"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("tag", TAGS)
def test_a_crafted_class_gives_data_and_no_call(shelf, tag, name, tmp_path):
    tree = {tag: name + (".x" if tag == "$enum" else ""), "args": f"touch {tmp_path}/called", "command": "id", "value": 1}
    back = shelf.read(tree)
    assert isinstance(back, Unknown)
    assert (back["args"], [*tmp_path.iterdir()], shelf.tree(back)) == (f"touch {tmp_path}/called", [], tree)


def test_no_module_is_imported_because_a_file_names_it(shelf):
    for tag in TAGS:
        shelf.read({tag: "antigravity:Fly.x", "value": 1})
    assert "antigravity" not in sys.modules


def test_nothing_of_a_module_runs_when_a_name_is_looked_up(monkeypatch):
    module = ModuleType("lazy")
    module.__getattr__ = lambda name: pytest.fail(f"{name} was made")
    monkeypatch.setitem(sys.modules, "lazy", module)
    assert [find(name) for name in ("lazy:Post", "lazy:", "lazy", "", ":", "lazy:__class__", "sys:modules.lazy")] == [None] * 7


@pytest.mark.parametrize("name", [None, 1, [], {}, True, {"$tuple": [1]}])
@pytest.mark.parametrize("tag", TAGS)
def test_a_name_that_is_no_text_is_damage_or_data(shelf, tag, name):
    from wf_notebook.errors import StorageFailed

    try:
        assert isinstance(shelf.read({tag: name}), Unknown)
    except StorageFailed as error:
        assert "is damaged" in str(error)  # noqa: PT017 - one of two ways to say no


# -- trust ---------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Return the name of a package of the user's that is on the path and not loaded."""
    (tmp_path / "mypkg").mkdir()
    (tmp_path / "mypkg" / "__init__.py").touch()
    source = "from dataclasses import dataclass\n@dataclass\nclass Post:\n    title: str\n"
    (tmp_path / "mypkg" / "models.py").write_text(source)
    (tmp_path / "mypkg" / "broken.py").write_text("raise SystemError('no')")
    (tmp_path / "mypkg_models.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("wf_notebook.codec.classes._trusted", set())
    yield "mypkg"
    for name in [name for name in sys.modules if name.startswith("mypkg")]:
        del sys.modules[name]


@pytest.mark.usefixtures("package")
def test_a_class_of_a_trusted_module_is_imported(shelf):
    tree = {"$dataclass": "mypkg.models:Post", "title": "a"}
    assert isinstance(shelf.read(tree), Unknown)
    trust("mypkg.models")
    back = shelf.read(tree)
    assert (type(back).__module__, back.title, shelf.tree(back)) == ("mypkg.models", "a", tree)


def test_trust_in_a_package_is_trust_in_what_is_inside_and_in_nothing_beside(shelf, package):
    trust(package)
    assert type(shelf.read({"$dataclass": "mypkg.models:Post", "title": "a"})).__name__ == "Post"
    assert isinstance(shelf.read({"$dataclass": "mypkg_models:Post", "title": "a"}), Unknown)
    assert isinstance(shelf.read({"$dataclass": "mypkg.broken:Post", "title": "a"}), Unknown)
    assert isinstance(shelf.read({"$dataclass": "mypkg.nothing:Post", "title": "a"}), Unknown)


def test_our_own_responses_come_back_in_a_process_that_has_not_loaded_them():
    code = """
from wf_notebook.codec import decode
print(decode({"$dataclass": "wf_notebook.events:RunResponse", "content": "hello", "created_at": 1}, None).get_content_as_string())
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "hello\n"


# -- names ---------------------------------------------------------------------------------------------------------------------


def test_a_class_made_inside_a_function_is_found_by_its_name_in_main(shelf, monkeypatch):
    @dataclass
    class Inside:
        a: int = 1

    main = ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", main)
    with pytest.raises(UnsavableValue, match="made inside a function"):
        shelf.tree(Inside())
    main.Inside = Inside
    assert shelf.tree(Inside()) == {"$dataclass": "__main__:Inside", "a": 1}
    assert (shelf.back(Inside()), name_of(Inside), shelf.classes) == (Inside(), "__main__:Inside", {"__main__:Inside"})


def test_the_classes_that_were_met_are_named(shelf):
    shelf.tree([1, {"a": Post("a")}, (Post("b"),)])
    assert shelf.classes == {f"{__name__}:Post"}
    shelf.classes.clear()
    shelf.tree([1, (2,), {"a": b"x"}])
    assert shelf.classes == set()


# -- register_codec ------------------------------------------------------------------------------------------------------------


def test_a_class_of_any_kind_can_be_taught(shelf, client):
    tree = shelf.tree({client: [client]})
    name = f"{__name__}:Client"
    assert tree == {
        "$dict": {f'{{"$custom":"{name}","value":{{"url":"http://a"}}}}': [{"$custom": name, "value": {"url": "http://a"}}]}
    }
    assert (shelf.back({client: [client]}), shelf.classes) == ({client: [client]}, {name})


def test_a_name_of_its_own_survives_a_move_of_the_class(shelf, client):
    register_codec(Client, encode=lambda client: (client.url,), decode=lambda said: Client(*said), name="client")
    assert shelf.tree(client) == {"$custom": "client", "value": {"$tuple": ["http://a"]}}
    assert shelf.back(client) == client


def test_what_a_codec_gives_must_be_kept_and_what_it_raises_is_said(shelf, client):
    register_codec(Client, encode=lambda _: {"lock": [object()]}, decode=Client)
    with pytest.raises(UnsavableValue, match=r'\["x"\]\[0\]\["lock"\]\[0\] is of type \'object\''):
        shelf.tree([client])
    register_codec(Client, encode=lambda client: client.nothing, decode=Client)
    with pytest.raises(UnsavableValue, match=r'\["x"\]\[0\] of type \'Client\' cannot be kept \(AttributeError: .*nothing'):
        shelf.tree([client])
    register_codec(Client, encode=lambda client: client, decode=Client)
    with pytest.raises(UnsavableValue, match=r'\["x"\] contains itself'):
        shelf.tree(client)


def test_what_a_codec_does_not_take_is_given_as_data(shelf, client):
    tree = shelf.tree(client)
    register_codec(Client, encode=lambda client: client.url, decode=lambda said: Client(said["port"]))
    assert (shelf.read(tree), shelf.tree(shelf.read(tree))) == ({"value": {"url": "http://a"}}, tree)
    assert not comes_back(shelf.tree(client), shelf.__getitem__)


@pytest.mark.parametrize("cls", [str, dict, type(None), "Post", len])
def test_what_needs_no_codec_is_refused(cls):
    with pytest.raises(BadSetting, match="a class of your own"):
        register_codec(cls, encode=str, decode=str)
