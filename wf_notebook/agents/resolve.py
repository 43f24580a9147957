"""From what a user calls a model to the model: a pydantic-ai model, a name, a description, or nothing at all."""

from __future__ import annotations

import inspect
import os
import re
from contextlib import suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from pydantic_ai.exceptions import UserError
from pydantic_ai.models import Model, infer_model, known_model_names
from pydantic_ai.providers import infer_provider, infer_provider_class

from ..cache.modes import asks_nobody
from ..errors import NoModel, UnknownModel, WorkflowError
from ..nearest import did_you_mean
from ..prices import cost_of
from . import local
from .files import DEFAULT, MODEL_FILES, can_run_locally, local_files

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_ai.providers import Provider

#: Where a provider's server is when nobody says otherwise.
BASE_URLS = {"ollama": ("OLLAMA_BASE_URL", "http://localhost:11434/v1")}

#: Whose models begin like this, for a name without its provider.
PROVIDERS = {
    "gpt-": "openai",
    "claude-": "anthropic",
    "gemini-": "google",
    "mistral-": "mistral",
    "deepseek-": "deepseek",
    "grok-": "xai",
    "llama": "ollama",
    "smol": "local",
}

#: Environment variables that providers read.
SURROUNDINGS = re.compile("KEY|TOKEN|URL|ENDPOINT|REGION|PROXY", re.IGNORECASE)


@runtime_checkable
class ModelDescription(Protocol):
    """What `wf_notebook.models` describes: who serves the model, its id there, and how to reach and set it."""

    @property
    def provider(self) -> str:
        """Who serves it, as pydantic-ai names it."""

    @property
    def id(self) -> str:
        """Its name there."""

    @property
    def connection(self) -> Mapping[str, Any]:
        """`api_key` and `base_url`, where given."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """Temperature and the like."""


@dataclass(frozen=True)
class Resolved:
    """A model ready to be called; `settings` are its defaults, `cost_free` says that it runs on this machine."""

    model: Model
    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    cost_free: bool = False

    def cost(self, input_tokens: int, output_tokens: int, told: Any) -> float | None:
        """Return what tokens cost in US dollars: nothing on this machine, by the price that was said here, or as it was told."""
        said = 0.0 if self.cost_free else cost_of(self.name, input_tokens, output_tokens)
        return said if said is not None or told is None else float(told)


def resolve(model: object) -> Resolved:
    """Return the model that is meant.

    Raises:
        NoModel: None was given, WF_MODEL is not set, and no local model is there.
        UnknownModel: nobody knows it, or it needs a key or a package that is missing; the message says how to get it.
    """
    if model is None:
        model = os.environ.get("WF_MODEL") or default()
    if isinstance(model, str):
        return _local(model.removeprefix("local:")) if model.startswith("local:") else _named(model)
    if isinstance(model, Model):
        return Resolved(model, model.model_name)
    if isinstance(model, ModelDescription):
        connection = tuple(sorted(model.connection.items()))
        return Resolved(_built(f"{model.provider}:{model.id}", connection), model.id, model.settings)
    raise UnknownModel(
        f"a model is a name like 'openai:gpt-5.2', a pydantic-ai model or one of wf_notebook.models, not {type(model).__name__!r}"
    )


def is_at_hand(model: object) -> bool:
    """Say whether `resolve` gives a model at once: as it is one, or was made here before, and has not gone."""
    if isinstance(model, Model):
        return True
    if isinstance(model, ModelDescription):
        connection = tuple(sorted(model.connection.items()))
        return (f"{model.provider}:{model.id}", connection, _surroundings(), asks_nobody()) in _made
    return isinstance(model, str) and (model, (), _surroundings(), asks_nobody()) in _made


def default() -> str:
    """Return the name of the model that is used when none is named and WF_MODEL is not set."""
    if DEFAULT.is_there and can_run_locally():
        return f"local:{DEFAULT.name}"
    missing = "" if can_run_locally() else "pip install 'wf-notebook[local]' and "
    raise NoModel(
        f"no model: set WF_MODEL or model= to a name like 'openai:gpt-5.2' (its key in OPENAI_API_KEY);"
        f" or {missing}fetch the small local one by `wf models pull {DEFAULT.name}`; or pass a pydantic-ai model as model="
    )


def check_name(name: str) -> None:
    """Raise UnknownModel for a name of which no provider, or no local model, is known; what a provider serves, only it knows."""
    kind, colon, rest = name.partition(":")
    if kind == "local" and rest not in MODEL_FILES:
        _path(rest)
    if kind == "local":
        return
    with suppress(ImportError):  # its package is missing, and so it is known
        try:
            if colon:
                infer_provider_class(kind)
            elif name not in known_model_names():
                raise UnknownModel(_remedy(name, ""))
        except ValueError:
            raise UnknownModel(_remedy(name, "")) from None


def _local(name: str) -> Resolved:
    path = _path(name)
    label = f"local:{name if name in local_files() else path.name}"
    return Resolved(local.model(path.resolve(), label), label, local.SETTINGS, cost_free=True)


def _path(name: str) -> Path:
    there = local_files()
    path = there.get(name) or Path(name).expanduser()
    if not path.is_file():
        if name in MODEL_FILES:
            raise UnknownModel(f"the model 'local:{name}' is not on this machine: fetch it by `wf models pull {name}`")
        if path.suffix == ".gguf" or os.sep in name:
            raise UnknownModel(f"there is no model file at {str(path)!r}")
        others = f"; there are {', '.join(map(repr, there))}" if there else "; `wf models` lists those that can be fetched"
        raise UnknownModel(f"no local model named {name!r}{did_you_mean(name, [*there, *MODEL_FILES]) or others}")
    return path


def _named(name: str) -> Resolved:
    built = _built(name, ())
    return Resolved(built, name.partition(":")[2] or built.model_name)


def _surroundings() -> frozenset[tuple[str, str]]:
    """What a provider reads from the environment: a key that was changed makes a new model."""
    return frozenset(item for item in os.environ.items() if SURROUNDINGS.search(item[0]))


#: The models that were made: by name, how they are reached, and what the environment said; the last so many are kept.
_made: dict[tuple[Any, ...], Model] = {}
KEPT = 64


def _built(name: str, connection: tuple[tuple[str, Any], ...]) -> Model:
    key = (name, connection, _surroundings(), asks_nobody())
    made = _made.get(key)
    if made is None:
        made = _made[key] = _build(name, connection)
        for oldest in list(_made)[:-KEPT]:
            _made.pop(oldest, None)
    return made


def _build(name: str, connection: tuple[tuple[str, Any], ...]) -> Model:
    def provider(kind: str) -> Provider[Any]:
        given = dict(connection)
        variable, url = BASE_URLS.get(kind, (None, None))
        if variable and not os.environ.get(variable):
            given.setdefault("base_url", url)
        if not given:
            try:
                return infer_provider(kind)
            except UserError:  # mostly for want of a key, which nothing will be sent with
                if not asks_nobody() or "api_key" not in inspect.signature(infer_provider_class(kind)).parameters:
                    raise
                given["api_key"] = "not-needed"
        made = infer_provider_class(kind)
        for argument in given.keys() - inspect.signature(made).parameters.keys():
            raise UnknownModel(f"models of {kind!r} take no {argument}")
        return made(**given)

    try:
        kind, _, _ = name.partition(":")
        if ":" in name:
            infer_provider_class(kind)
        return infer_model(name, provider)
    except (UserError, ValueError) as error:
        raise UnknownModel(_remedy(name, str(error))) from None
    except ImportError as error:
        package = re.search(r"pydantic-ai-slim\[[\w,-]+\]", str(error))
        remedy = f"pip install {package[0]!r}" if package else str(error)
        raise UnknownModel(f"the model {name!r} needs a package that is missing: {remedy}") from None
    except WorkflowError:
        raise
    except Exception as error:  # a provider's own client, of an empty key
        raise UnknownModel(_remedy(name, str(error))) from error


def _remedy(name: str, said: str) -> str:
    if variable := re.search(r"\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b", said):
        return f"the model {name!r} needs {variable[0]}, which is not set, or empty: put it into the environment"
    known = [*known_model_names(), *(f"local:{file}" for file in MODEL_FILES)]
    kind, colon, rest = name.rpartition(":")
    guess = next((provider for start, provider in PROVIDERS.items() if rest.startswith(start)), None)
    if colon:
        near = get_close_matches(kind, {full.partition(":")[0] for full in known}, n=1)
        guess = near[0] if near else None
    hint = f"; did you mean '{guess}:{rest}'?" if guess else did_you_mean(name, known)
    return f"no model named {name!r}{hint or '; a name is provider:model, like openai:gpt-5.2 or local:smollm2'}"


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_made.clear)
