"""The model in the box: a llama.cpp server inside this process, on loopback, behind a key that nobody else knows.

One server per model file, started at the first call, with one thread: two are slower as soon as anything else runs.
"""

from __future__ import annotations

import atexit
import ctypes
import os
import secrets
import threading
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from .. import background
from ..errors import ModelFailed, UnknownModel

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic_ai.models.openai import OpenAIChatModel

#: How many tokens a prompt and its answer may have together.
CONTEXT = 8192

#: An answer is cut there, unless the agent says otherwise: a small model may not find an end.
MAX_TOKENS = 512

#: The same prompt gets the same answer. (A small model repeats itself for ever at 1.0, and loses the words at 1.2.)
SETTINGS = {"temperature": 0.0, "seed": 0, "max_tokens": MAX_TOKENS}
REPEAT_PENALTY, REPEAT_WINDOW = 1.1, 256


@dataclass(frozen=True)
class _Box:
    server: Any
    key: str


_boxes: dict[Path, _Box] = {}
_lock = threading.Lock()
_forked = False


def _start(path: Path) -> _Box:
    try:
        from xllamacpp import CommonParams, Server
    except ImportError:
        raise UnknownModel("local models need the package 'xllamacpp': pip install 'wf-notebook[local]'") from None
    params = CommonParams()
    params.model.path = str(path)
    params.n_ctx, params.n_parallel = CONTEXT, 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.hostnames, params.port = ["127.0.0.1"], 0
    key = secrets.token_urlsafe(32)
    params.api_keys = [key]
    params.verbosity, params.ui, params.use_jinja = -1, False, True
    params.cache_prompt = False  # a prompt that was read in part before is computed in other steps, and rounds differently
    params.sampling.penalty_repeat, params.sampling.penalty_last_n = REPEAT_PENALTY, REPEAT_WINDOW
    try:
        return _Box(Server(params), key)
    except Exception as error:
        with path.open("rb") as file:
            what = "is it whole?" if file.read(4) == b"GGUF" else "it is no GGUF file"
        raise ModelFailed(f"{str(path)!r} could not be loaded as a model: {what}") from error


def box(path: Path) -> _Box:
    """Return the server of a model file, started when it is not running yet."""
    path = path.resolve()
    with _lock:
        if path not in _boxes:
            _boxes[path] = _start(path)
            if _forked:
                _keep(_boxes[path])
        return _boxes[path]


@cache
def model(path: Path, name: str) -> OpenAIChatModel:
    """Return the model of a file, as pydantic-ai talks to it; structured output follows a grammar."""
    try:
        from pydantic_ai.models.openai import OpenAIChatModel
        from pydantic_ai.profiles.openai import OpenAIModelProfile
        from pydantic_ai.providers.openai import OpenAIProvider
    except ImportError:
        raise UnknownModel("local models need the package 'openai': pip install 'wf-notebook[local]'") from None
    running = box(path)
    return OpenAIChatModel(
        name,
        provider=OpenAIProvider(base_url=f"{running.server.listening_address}/v1", api_key=running.key),
        profile=OpenAIModelProfile(
            supports_json_schema_output=True,
            default_structured_output_mode="native",
            openai_supports_strict_tool_definition=False,
            supports_image_input=False,  # it is given a text model only: what sees and hears is a second file
            supports_document_input=False,
            supports_audio_file_input=False,
            supports_video_input=False,
        ),
    )


@atexit.register
def stop() -> None:
    """Stop all servers of this process; the next call starts them again."""
    if _boxes:
        background.cancel_all()  # a server waits for the answers that it is still giving
    with _lock:
        model.cache_clear()
        _boxes.clear()


def _keep(box: _Box) -> None:
    """Never let the destructor of a server run: in a forked child it waits for threads that only the parent has."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(box.server))


def _forget() -> None:
    """In a forked child the servers' threads are gone: start anew at the next call, and leave alone what is the parent's."""
    global _lock, _forked  # noqa: PLW0603 - one for the process, on purpose
    _lock = threading.Lock()
    model.cache_clear()
    if not _boxes:
        return
    _forked = True
    for box in _boxes.values():
        _keep(box)
    _boxes.clear()
    # The library itself waits for such threads when the process ends (a static destructor of llama.cpp's log): end without it.
    libc = ctypes.CDLL(None)
    if hasattr(libc, "on_exit"):
        libc.on_exit(libc["_exit"], None)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
