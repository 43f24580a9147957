"""Pydantic models and URLs, rebuilt by their own validation; pydantic is looked at only where the user has loaded it."""

from __future__ import annotations

from types import GenericAlias
from typing import TYPE_CHECKING, Any, cast

from .classes import required
from .kind import Refused, loaded
from .records import misfit, needed

if TYPE_CHECKING:
    from .kind import Decoding, Encoding, Tree


def is_model(cls: type) -> bool:
    """Return whether a class is a pydantic model."""
    base = loaded("pydantic.main:BaseModel")
    return base is not None and issubclass(cls, base) and cls is not base


def encode_model(value: Any, walk: Encoding) -> Tree:
    """Write the fields of a model and its extra ones; which fields were not set, and its private attributes, beside them."""
    cls = type(value)
    generic = cls.__pydantic_generic_metadata__
    origin = generic["origin"] or cls
    tree: dict[str, Tree] = {"$model": walk.name(origin)}
    own = dict(vars(value))
    if missing := [name for name in cls.model_fields if name not in own]:
        raise Refused(f"is a {cls.__name__!r} without its field {missing[0]!r}; validate it first")
    extra = dict(value.__pydantic_extra__ or {})
    fields = {name: own[name] for name in cls.model_fields}
    if twice := fields.keys() & extra.keys():
        raise Refused(f"is a {cls.__name__!r} with two values named {min(twice)!r}, a field and an extra one; keep one of them")
    tree |= walk.fields(fields | extra)
    if generic["origin"] is not None:
        tree["$args"] = [_argument(arg, walk) for arg in generic["args"]]
    if unset := sorted(cls.model_fields.keys() - value.model_fields_set):
        tree["$unset"] = unset
    if private := dict(value.__pydantic_private__ or {}):
        tree["$private"] = walk.fields(private)
    return tree


def decode_model(tree: dict[str, Tree], read: Decoding) -> Any:
    """Read a model: its fields by their names, through validation."""
    name = tree["$model"]
    cls: Any = needed(name, is_model)
    if "$args" in tree:
        arguments = tuple(_argued(arg) for arg in tree["$args"])
        try:
            cls = cls[arguments]
        except TypeError as error:
            raise misfit(name, cls, error) from error
    values, private = read.fields(tree), read.fields(tree.get("$private", {}))
    fields = values if cls.model_config.get("extra") == "allow" else cls.model_fields
    if lost := (values.keys() - fields.keys()) | (private.keys() - cls.__private_attributes__.keys()):
        raise misfit(name, cls, f"it has no {min(lost)!r}")
    try:
        if cls.__pydantic_root_model__:
            value = cls.model_validate(values["root"])
        else:
            value = cls.model_validate(values, by_name=True, by_alias=False)
    except RecursionError:
        raise
    except Exception as error:
        raise misfit(name, cls, error) from error
    value.model_fields_set.difference_update(tree.get("$unset", ()))
    if private:
        value.__pydantic_private__.update(private)
    return value


def _argument(arg: Any, walk: Encoding) -> Tree:
    """Return what a generic model was made for: a class by its name, `list[Post]` as its class and arguments."""
    if isinstance(arg, GenericAlias):
        return [walk.name(cast("type", arg.__origin__)), *(_argument(inner, walk) for inner in arg.__args__)]
    if isinstance(arg, type):
        return walk.name(arg)
    raise Refused(f"is a generic model of {arg!r}, which cannot be kept; use classes, and list[…] or dict[…] of them")


def _argued(arg: Tree) -> Any:
    if isinstance(arg, list):
        origin, *inner = arg
        return GenericAlias(required(origin), tuple(_argued(one) for one in inner))
    return required(arg)


def is_url(cls: type) -> bool:
    """Return whether a class is one of pydantic's kinds of URLs."""
    bases = map(loaded, ("pydantic.networks:_BaseUrl", "pydantic.networks:_BaseMultiHostUrl"))
    return any(base is not None and issubclass(cls, base) for base in bases)


def encode_url(value: Any, walk: Encoding) -> Tree:
    """Write a URL as its text, and of which kind it is."""
    return {"$url": str(value), "class": walk.name(type(value))}


def decode_url(tree: dict[str, Tree], _: Decoding) -> Any:
    """Read a URL."""
    name = tree["class"]
    cls: Any = needed(name, is_url)
    try:
        return cls(tree["$url"])
    except Exception as error:
        raise misfit(name, cls, error) from error


def encode_secret(value: Any, walk: Encoding) -> Tree:
    """Write that there was a secret, and not which; one that was read back is that text already."""
    name = type(value).__name__
    return f"<redacted {name}>" if _is_read_back(value) else walk.hide(name)


def _is_read_back(value: Any) -> bool:
    inner = value.get_secret_value()
    said = inner.decode(errors="replace") if isinstance(inner, bytes) else inner
    return isinstance(said, str) and said == f"<redacted {type(value).__name__}>"
