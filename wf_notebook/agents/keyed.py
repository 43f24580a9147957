"""What the answer of an agent depends on: the model, what it is told, its tools, and what was said before."""

from __future__ import annotations

import os
import sys
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UncacheableArgument
from ..keying import Keyer, Uncacheable
from .files import DEFAULT, MODEL_FILES
from .prompt import TIME, instructions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..keying import Key
    from .attachments import Attachment
    from .pieces import Foreign
    from .settings import Settings

#: What a message has that says when and where it was sent, and not what was said.
_VOLATILE = {"timestamp", "usage", "provider_response_id", "provider_details", "run_id", "conversation_id", "metadata",
             "finish_reason", "failed_attempts", "state", "provider_url", "model_name"}  # fmt: skip
#: Settings of an agent that say how it is asked, or what becomes of its answer.
_NOT_ASKED = {"name", "timeout", "total_timeout", "retries", "save_response_to_file", "add_datetime_to_instructions"}
#: Settings of a request that say how it is sent, and not what is asked.
_SENDING = {"timeout", "max_retries", "extra_headers"}


def agent(  # noqa: PLR0917 - these are names, and nobody calls it
    model: Any, instructions: Any, message: Any, files: Any, tools: Any, response_model: Any, settings: Any, history: Any
) -> None:
    """Name what the answer of an agent depends on; these are the words in which a change is told."""


def request(model: Any, messages: Any, settings: Any, tools: Any, output: Any) -> None:
    """Name what the answer to one request depends on."""


def foreign(agent: Any, message: Any, options: Any) -> None:
    """Name what the answer of an agent of another package depends on."""


_AGENT, _REQUEST, _FOREIGN = Keyer(agent), Keyer(request), Keyer(foreign)


def key_of_call(agent: Settings, message: str | None, sent: Sequence[Attachment], history: Any) -> Key:
    """Return the key of a call of an agent; pydantic-ai is not needed for it."""
    told = copy(agent)
    told.add_datetime_to_instructions = False  # it would never be the same twice
    settings = {name: value for name, value in (agent.model_settings or {}).items() if name not in _SENDING}
    native = agent.structured_outputs if agent.response_model is not None else None
    files = [_sent(file) for file in sent]
    asked = instructions(told), message, files, _tools(agent), agent.response_model
    return _key(_AGENT, (model_parts(agent.model), *asked, [settings, native], history))


def key_of_foreign(agent: Foreign, message: Any, options: Mapping[str, Any]) -> Key:
    """Return the key of a call of an agent of another package, as far as one can see what that depends on."""
    try:
        return _FOREIGN.key((agent, message, dict(agent.dialect.told(options))), {})
    except UncacheableArgument as refusal:
        raise Uncacheable(str(refusal.__cause__)) from refusal


def agent_parts(agent: Settings, history: Any) -> dict[str, Any]:
    """Return what the answers of an agent depend on, whatever it is asked."""
    told = {name: value for name, value in vars(agent).items() if name not in _NOT_ASKED and not name.startswith("_")}
    return {**told, "model": model_parts(agent.model), "tools": _tools(agent), "history": plain_messages(history)}


def _tools(agent: Settings) -> list[Any]:
    """Return the user's functions."""
    return [getattr(tool, "__wrapped__", tool) if hasattr(type(tool), "deep_copy") else tool for tool in agent.tools or ()]


def key_of_request(model: Any, messages: list[dict[str, Any]], settings: Any, parameters: Any) -> Key:
    """Return the key of one request to a model of pydantic-ai."""
    asked = {name: value for name, value in (settings or {}).items() if name not in _SENDING}
    tools = [(tool.name, tool.description, tool.parameters_json_schema) for tool in parameters.function_tools]
    outputs = [(tool.name, tool.description, tool.parameters_json_schema) for tool in parameters.output_tools]
    output = (parameters.output_mode, outputs, getattr(parameters.output_object, "json_schema", None))
    return _key(_REQUEST, (model_parts(model), plain_messages(messages), asked, tools, output))


def key_of_tool(function: Any, name: str, arguments: dict[str, Any]) -> Key:
    """Return the key of a call of a tool."""
    return _key(Keyer(function, name=name), (), arguments)


def _key(keyer: Keyer, values: tuple[Any, ...], named: dict[str, Any] | None = None) -> Key:
    try:
        return keyer.key(values, named or {})
    except UncacheableArgument as refusal:
        raise Uncacheable(str(refusal)) from refusal


def plain_messages(messages: Any) -> Any:
    """Return messages without what says only when they were sent; calls of tools are numbered, as their ids are random.

    >>> plain_messages([{"parts": [{"content": "Hello", "timestamp": "2026-01-01"}], "kind": "request"}])
    [{'parts': [{'content': 'Hello'}], 'kind': 'request'}]
    """
    ids: dict[str, int] = {}

    def plain(value: Any) -> Any:
        if isinstance(value, list):
            return [plain(item) for item in value]
        if not isinstance(value, dict):
            return value
        told = {name: plain(item) for name, item in value.items() if name not in _VOLATILE}
        if isinstance(said := told.get("instructions"), str):
            told["instructions"] = TIME.sub("", said)
        if isinstance(call_id := told.get("tool_call_id"), str):
            told["tool_call_id"] = ids.setdefault(call_id, len(ids))
        return told

    return plain(messages)


def model_parts(model: Any) -> Any:
    """Return what tells one model from another, without what only reaches it: keys and clients.

    >>> model_parts("openai:gpt-5.2")
    'openai:gpt-5.2'
    """
    if model is None:
        model = os.environ.get("WF_MODEL") or f"local:{DEFAULT.name}"
    if isinstance(model, str):
        return _named(model)
    if hasattr(model, "_key_parts_"):
        return model
    if hasattr(model, "provider") and hasattr(model, "connection") and hasattr(model, "settings"):  # of wf_notebook.models
        reached = {name: value for name, value in model.connection.items() if name != "api_key"}
        return [model.provider, model.id, reached, dict(model.settings)]
    if "pydantic_ai" not in sys.modules:
        raise Uncacheable(f"a model of type {type(model).__name__!r} cannot be told from others")
    return _parts_of(model)


def _named(name: str) -> Any:
    kind, _, rest = name.partition(":")
    if kind != "local":
        url = os.environ.get(f"{kind.upper()}_BASE_URL")  # another server may have another model of that name
        return name if url is None else [name, url]
    if rest in MODEL_FILES:
        return [name, MODEL_FILES[rest].sha256]
    path = Path(rest).expanduser()
    try:
        stat = path.stat()
    except OSError:
        return name
    return ["local:", path.name, stat.st_size, stat.st_mtime_ns]


def _parts_of(model: Any) -> Any:
    """Return what tells a model of pydantic-ai from others."""
    from pydantic_ai.models import Model

    if not isinstance(model, Model):
        raise Uncacheable(f"a model of type {type(model).__name__!r} cannot be told from others")
    while (inner := getattr(model, "wrapped", None)) is not None:
        model = inner
    if (several := getattr(model, "models", None)) is not None:
        return [type(model).__qualname__, *map(_parts_of, several)]
    code = [getattr(model, name, None) for name in ("function", "stream_function")]
    if type(model).__name__ == "TestModel":
        code.append([repr(vars(model).get(name)) for name in ("call_tools", "custom_output_text", "custom_output_args", "seed")])
    return [type(model).__qualname__, model.system, model.model_name, model.base_url, dict(model.settings or {}), *code]


def _sent(file: Attachment) -> Any:
    """Return what tells a file that is sent along from others."""
    return [file.name, file.media_type, file.text, file.data, file.url, None if file.part is None else repr(file.part)]
