"""A runnable of LangChain, asked in its own way; what its models use and its tools do is heard by a callback."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Protocol

from .made_of import PACKAGES, is_of, made_of
from .merging import Merging
from .others import ForeignAgent
from .pieces import Answer, Called, Came, Text, Used, plain

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator, Mapping

    from .pieces import Piece

#: Runnables that are a part of an agent, and none by themselves.
NO_AGENTS = [f"langchain_core.{part}" for part in ("tools", "prompts", "output_parsers", "retrievers", "embeddings")]
#: Settings of a call by which it is watched, and nothing else.
WATCHING = {"callbacks", "metadata", "run_id", "run_name", "tags"}
#: Who says a message, in the words of chat models.
ROLES = {"human": "user", "ai": "assistant", "AIMessageChunk": "assistant"}


def adapt_runnable(foreign: Any) -> ForeignAgent | None:
    """Return the adapter of a runnable of LangChain: a chain, a model, a function; None for tools, prompts, parsers, messages."""
    is_one = hasattr(foreign, "ainvoke") and hasattr(foreign, "astream") and not isinstance(foreign, type)
    return ForeignAgent(Runnable(foreign)) if is_one and not is_of(type(foreign), NO_AGENTS) else None


class Runnable:
    """How a runnable of LangChain is asked."""

    left_out: str | None = None

    def __init__(self, foreign: Any) -> None:
        self.foreign = foreign
        self.name: str | None = getattr(foreign, "name", None)

    def copy(self) -> Runnable:
        """Return it for the same runnable: it is not changed by being asked."""
        return self

    def parts(self) -> Mapping[str, Any]:
        """Return what it is made of."""
        return {"runnable": made_of(self.foreign)}

    def told(self, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the options that say what is asked."""
        return told(options)

    async def ask(self, message: Any, options: Mapping[str, Any], *, streaming: bool, who: str) -> AsyncGenerator[Piece]:
        """Ask it; the chunks of a stream are added up as LangChain does it."""
        merging = Merging()
        config, options = listening(merging.hear, options)
        foreign, gathered = self.foreign, _Chunks()

        async def once() -> AsyncGenerator[Any]:
            yield await foreign.ainvoke(message, config=config, **options)

        def awaited() -> AsyncGenerator[Any]:
            chunks: AsyncGenerator[Any] = foreign.astream(message, config=config, **options) if streaming else once()
            return chunks

        def plainly() -> Iterator[Any]:
            if streaming:
                yield from foreign.stream(message, config=config, **options)
            else:
                yield foreign.invoke(message, config=config, **options)

        async with aclosing(merging.of(lambda merging: read(merging, gathered, awaited, plainly))) as pieces:
            async for piece in pieces:
                yield piece


class Gathering(Protocol):
    """What becomes of all that is streamed."""

    def take(self, item: Any) -> Iterator[Piece]:
        """Take up one thing; yield what is said in it."""

    def answer(self) -> Answer:
        """Return what came of it."""


class _Chunks:
    """The chunks of a runnable, added up as LangChain does it."""

    def __init__(self) -> None:
        self._whole: Any = None

    def take(self, item: Any) -> Iterator[Piece]:
        """Take up a chunk."""
        self._whole = item if self._whole is None else added(self._whole, item)
        yield from said(item)

    def answer(self) -> Answer:
        """Return what came of it: of a message its text."""
        whole = self._whole
        return Answer(text_of(whole) if is_message(whole) or isinstance(whole, str) else whole)


async def read(
    merging: Merging, gathered: Gathering, awaited: Callable[[], AsyncGenerator[Any]], plainly: Callable[[], Iterator[Any]]
) -> None:
    """Read what is streamed, and say what is in it; what is plain code and cannot be awaited is read in a thread."""
    try:
        async with aclosing(awaited()) as items:
            async for item in items:
                for piece in gathered.take(item):
                    await merging.say(piece)
    except (TypeError, NotImplementedError) as error:
        if merging.begun or not _is_theirs(error):
            raise
        await merging.said_in_a_thread(piece for item in plainly() for piece in gathered.take(item))
    await merging.say(gathered.answer())


def _is_theirs(error: BaseException) -> bool:
    """Say whether it was raised by one of these packages itself: by that it says that it has no way to be awaited."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and str(trace.tb_frame.f_globals.get("__name__", "")).partition(".")[0] in PACKAGES


def told(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return options without what only watches the call.

    >>> told({"config": {"callbacks": [print], "recursion_limit": 5}})
    {'config': {'recursion_limit': 5}}
    """
    config = {name: value for name, value in (options.get("config") or {}).items() if name not in WATCHING}
    return {**options, "config": config}


def added(whole: Any, chunk: Any) -> Any:
    """Return two chunks of a stream as one, or the later one where they cannot be added.

    >>> added("a", "b"), added({"a": 1}, {"a": 2})
    ('ab', {'a': 2})
    """
    try:
        return whole + chunk
    except TypeError:
        return chunk


def said(chunk: Any) -> Iterator[Text]:
    """Yield the text and the thoughts in a chunk of a stream."""
    content = getattr(chunk, "content", chunk)
    thought = getattr(chunk, "additional_kwargs", {}).get("reasoning_content")
    if thought:
        yield Text(thought, is_thought=True)
    for block in content if isinstance(content, list) and content is not chunk else [content]:
        if isinstance(block, str):
            yield Text(f"{block}")  # theirs may be of a class of their own
        elif isinstance(block, dict) and block.get("type") == "text":
            yield Text(block.get("text") or "")
        elif isinstance(block, dict) and block.get("type") in {"reasoning", "thinking"}:
            yield Text(block.get(block["type"]) or "", is_thought=True)


def text_of(value: Any) -> str:
    """Return the text of a message, without its thoughts."""
    return "".join(piece.text for piece in said(value) if not piece.is_thought)


def is_message(value: Any) -> bool:
    """Say whether a value is a message of LangChain, or a chunk of one."""
    return hasattr(value, "content") and is_of(type(value), ["langchain_core.messages"])


def as_dict(message: Any) -> dict[str, Any]:
    """Return a message as `{"role": …, "content": …}`."""
    return {"role": ROLES.get(message.type, message.type), "content": plain(message.content)}


def listening(hear: Callable[[Piece], None], options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the config of a call with a callback that tells `hear` of models and tools, and the other options."""
    from langchain_core.callbacks import BaseCallbackHandler

    class Listener(BaseCallbackHandler):  # type: ignore[misc] # typed by Any where LangChain is not installed
        run_inline = True

        def __init__(self) -> None:
            self.models: dict[Any, str | None] = {}

        def on_chat_model_start(self, serialized: Any, messages: Any, *, run_id: Any, **told: Any) -> None:
            self.on_llm_start(serialized, messages, run_id=run_id, **told)

        def on_llm_start(self, serialized: Any, prompts: Any, *, run_id: Any, **told: Any) -> None:
            asked = told.get("invocation_params") or {}
            self.models[run_id] = (
                (told.get("metadata") or {}).get("ls_model_name") or asked.get("model") or asked.get("model_name")
            )

        def on_llm_end(self, response: Any, *, run_id: Any, **told: Any) -> None:
            hear(_used(response, self.models.pop(run_id, None)))

        def on_tool_start(self, serialized: Any, input_str: str, *, run_id: Any, inputs: Any = None, **told: Any) -> None:
            name = told.get("name") or (serialized or {}).get("name") or "tool"
            hear(Called(str(run_id), name, plain(input_str if inputs is None else inputs)))

        def on_tool_end(self, output: Any, *, run_id: Any, **told: Any) -> None:
            failed = getattr(output, "status", None) == "error"
            hear(Came(str(run_id), plain(output.content if is_message(output) else output), failed))

        def on_tool_error(self, error: BaseException, *, run_id: Any, **told: Any) -> None:
            hear(Came(str(run_id), f"{type(error).__name__}: {error}", failed=True))

    config = dict(options.get("config") or {})
    callbacks = config.get("callbacks")
    if callbacks is not None and not isinstance(callbacks, list):  # a manager of theirs
        callbacks = callbacks.copy()
        callbacks.add_handler(Listener())
    else:
        callbacks = [*(callbacks or ()), Listener()]
    return {**config, "callbacks": callbacks}, {name: value for name, value in options.items() if name != "config"}


def _used(response: Any, asked: str | None) -> Used:
    """Return what one request used, as far as its result tells."""
    first = next((one for several in response.generations for one in several), None)
    message = getattr(first, "message", None)
    usage: Mapping[str, Any] = getattr(message, "usage_metadata", None) or {}
    told: Mapping[str, Any] = getattr(message, "response_metadata", None) or {}
    counts = (response.llm_output or {}).get("token_usage") or {}
    sent = usage.get("input_tokens") or counts.get("prompt_tokens") or 0
    came = usage.get("output_tokens") or counts.get("completion_tokens") or 0
    return Used(told.get("model_name") or told.get("model") or asked, 1, sent, came)
