"""Pydantic models come back equal, by their own validation."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

import pydantic
import pytest

from wf_notebook.codec import comes_back
from wf_notebook.errors import UnsavableValue

HERE = __name__
T = TypeVar("T")


class Post(pydantic.BaseModel):
    title: str
    parts: list[Post] = []
    meta: Any = None


class Aliased(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(validate_by_alias=True, validate_by_name=False, extra="forbid")

    url: str = pydantic.Field(alias="URL")
    inner: Aliased | None = pydantic.Field(default=None, validation_alias=pydantic.AliasPath("a", 0))


class Strict(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(strict=True, frozen=True)

    when: datetime
    pair: tuple[int, int]
    tags: set[str]
    raw: bytes


class Open(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")

    a: int = 1


class Hidden(pydantic.BaseModel):
    a: int = 1
    _calls: int = pydantic.PrivateAttr(default=0)
    _late: dict = pydantic.PrivateAttr()


class Box(pydantic.BaseModel, Generic[T]):
    value: T
    many: list[T] = []


class Names(pydantic.RootModel[list[str]]):
    pass


class Cat(pydantic.BaseModel):
    kind: Literal["cat"] = "cat"


class Dog(pydantic.BaseModel):
    kind: Literal["dog"] = "dog"


class Zoo(pydantic.BaseModel):
    animals: list[Annotated[Cat | Dog, pydantic.Field(discriminator="kind")]]

    @pydantic.computed_field
    @property
    def size(self) -> int:
        return len(self.animals)


class Doubled(pydantic.BaseModel):
    n: int

    @pydantic.field_validator("n")
    @classmethod
    def double(cls, n: int) -> int:
        return n * 2


class Account(pydantic.BaseModel):
    key: pydantic.SecretStr
    raw: pydantic.SecretBytes = pydantic.SecretBytes(b"x")


def hidden() -> Hidden:
    value = Hidden()
    value._calls, value._late = 3, {1: (2,)}
    return value


WHEN = datetime(2026, 1, 1, tzinfo=UTC)
VALUES = [
    (Post(title="a", parts=[], meta=None), {"$model": f"{HERE}:Post", "title": "a", "parts": [], "meta": None}),
    (Post(title="a"), {"$model": f"{HERE}:Post", "title": "a", "parts": [], "meta": None, "$unset": ["meta", "parts"]}),
    (Aliased(URL="u", a=[None]), {"$model": f"{HERE}:Aliased", "url": "u", "inner": None}),
    (
        Strict(when=WHEN, pair=(1, 2), tags={"b", "a"}, raw=b"x"),
        {
            "$model": f"{HERE}:Strict",
            "when": {"$datetime": "2026-01-01T00:00:00+00:00"},
            "pair": {"$tuple": [1, 2]},
            "tags": {"$set": ["a", "b"]},
            "raw": {"$bytes": "eA=="},
        },
    ),
    (Open(**{"$ref": 1, "b": (1,)}), {"$model": f"{HERE}:Open", "a": 1, "$$ref": 1, "b": {"$tuple": [1]}, "$unset": ["a"]}),
    (hidden(), {"$model": f"{HERE}:Hidden", "a": 1, "$unset": ["a"], "$private": {"_calls": 3, "_late": {"$dict": {"1": ...}}}}),
    (Box[int](value=1, many=[2]), {"$model": f"{HERE}:Box", "value": 1, "many": [2], "$args": ["builtins:int"]}),
    (
        Box[list[Cat]](value=[Cat()], many=[]),
        {"$model": f"{HERE}:Box", "value": [...], "many": [], "$args": [["builtins:list", ...]]},
    ),
    (Names(["a"]), {"$model": f"{HERE}:Names", "root": ["a"]}),
    (Zoo(animals=[Dog(kind="dog")]), {"$model": f"{HERE}:Zoo", "animals": [{"$model": f"{HERE}:Dog", "kind": "dog"}]}),
]


def without_the_rest(found: Any, tree: Any) -> Any:
    """Return what was found with ... where it is expected."""
    if tree is ...:
        return ...
    if isinstance(tree, dict) and isinstance(found, dict):
        return {key: without_the_rest(item, tree.get(key)) for key, item in found.items()}
    if isinstance(tree, list) and isinstance(found, list):
        return [without_the_rest(*both) for both in zip(found, tree, strict=True)]
    return found


@pytest.mark.parametrize(("value", "tree"), VALUES, ids=[type(value).__name__ for value, _ in VALUES])
def test_a_model_is_stored_with_its_fields_side_by_side_and_comes_back(shelf, value, tree):
    found = without_the_rest(shelf.tree(value), tree)
    assert (found, list(found)) == (tree, list(tree))
    back = shelf.back([value])[0]
    assert (type(back), back, back.model_fields_set) == (type(value), value, value.model_fields_set)
    assert (back.__pydantic_extra__, back.__pydantic_private__) == (value.__pydantic_extra__, value.__pydantic_private__)


def test_models_inside_models_come_back(shelf):
    value = Post(title="a", parts=[Post(title="b", meta=Box[Post](value=Post(title="c")))], meta={(1, 2): Names([])})
    back = shelf.back(value)
    assert (back, type(back.parts[0].meta), back.meta) == (value, Box[Post], {(1, 2): Names([])})


class Site(pydantic.BaseModel):
    home: pydantic.HttpUrl
    others: list[pydantic.AnyUrl] = []


class Shop(pydantic.HttpUrl):
    _constraints = pydantic.UrlConstraints(allowed_schemes=["https"])


@pytest.mark.parametrize(
    ("value", "tree"),
    [
        (pydantic.HttpUrl("https://example.com"), {"$url": "https://example.com/", "class": "pydantic.networks:HttpUrl"}),
        (pydantic.AnyUrl("mailto:ann@example.com"), {"$url": "mailto:ann@example.com", "class": "pydantic.networks:AnyUrl"}),
        (
            pydantic.PostgresDsn("postgresql://a:1,b:2/c"),
            {"$url": "postgresql://a:1,b:2/c", "class": "pydantic.networks:PostgresDsn"},
        ),
        (Shop("https://example.com/a"), {"$url": "https://example.com/a", "class": f"{HERE}:Shop"}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_url_is_stored_as_its_text_and_comes_back(shelf, value, tree):
    assert shelf.tree(value) == tree
    back = shelf.back({"a": value, value: 1})
    assert (back, type(back["a"])) == ({"a": value, value: 1}, type(value))


def test_a_model_with_urls_comes_back(shelf):
    value = Site(home="https://example.com", others=["ftp://example.com/a"])
    assert shelf.back(value) == value


def test_a_stored_url_is_read_where_pydantic_was_not_loaded():
    code = """
import sys
from wf_notebook.codec import decode
assert "pydantic" not in sys.modules
print(repr(decode({"$url": "https://example.com/", "class": "pydantic.networks:HttpUrl"}, None)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "HttpUrl('https://example.com/')\n"


def test_a_url_whose_class_takes_it_no_longer_is_given_as_a_dict(shelf, capsys):
    back = shelf.read({"$url": "http://example.com/", "class": f"{HERE}:Shop"})
    assert back == {"url": "http://example.com/", "class": f"{HERE}:Shop"}
    assert "does not take its stored values any more" in capsys.readouterr().err
    assert shelf.read({"$url": "http://example.com/", "class": "os:system"})["url"] == "http://example.com/"


def test_a_secret_is_not_stored(shelf):
    value = Account(key="sk-123456789")
    assert shelf.tree({"a": value.key, "b": value.raw}) == {"a": "<redacted SecretStr>", "b": "<redacted SecretBytes>"}
    assert shelf.back(value).key.get_secret_value() == "<redacted SecretStr>"


def test_a_model_that_its_validation_would_change_or_refuse_does_not_come_back(shelf):
    assert not comes_back(shelf.tree(Doubled(n=1)), shelf.__getitem__)
    value = Post(title="a")
    value.title = 5
    assert not comes_back(shelf.tree(value), shelf.__getitem__)
    assert comes_back(shelf.tree(Post.model_construct(title="a", parts=[], meta=None)), shelf.__getitem__)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (Post(title="a", meta={"b": [open]}), '["x"].meta["b"][0] is of type \'builtin_function_or_method\''),
        (Open(b=object()), "[\"x\"].b is of type 'object'"),
        (Post.model_construct(title="a").__class__.model_construct(), "is a 'Post' without its field 'title'; validate it first"),
        (Box[int | None](value=1), "is a generic model of int | None, which cannot be kept"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_model_that_would_not_come_back_is_refused(shelf, value, says):
    with pytest.raises(UnsavableValue) as refusal:
        shelf.tree(value)
    assert says in str(refusal.value)
