"""@step: a part of a run that is not done again while nothing changed that it depends on."""

from __future__ import annotations

import asyncio
import functools
import inspect
import time
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

from ..context import within
from ..errors import BadSetting
from ..keying import CODE, Keyer
from ..run import current
from .call import Call
from .heard import hearing
from .modes import checked_mode
from .remembering import remembering

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Sequence

    from ..keying import Key
    from .modes import Mode

F = TypeVar("F", bound="Callable[..., Any]")


@overload
def step(function: F, /) -> F: ...


@overload
def step(*, name: str | None = None, cache: Mode | None = None, files: Sequence[str] = ()) -> Callable[[F], F]: ...


def step(function: Any = None, /, *, name: str | None = None, cache: Mode | None = None, files: Sequence[str] = ()) -> Any:
    """Remember what a function or method gives, for the session: it is done again when something changed that it depends on.

    That is its code and all of your own that it reaches by name, its arguments, what it reads of `self` and of `session_state`,
    and the content of `files`. Coroutines, generators and async generators too: then the stream is remembered. What is
    remembered comes back as it was, with what was printed and what was changed in `session_state`.

    Outside of a run, and in a run with `cache="off"`, it is a plain call.

    Args:
        function: The function, where `@step` is written without arguments.
        name: What it is called; its own name, if left out.
        cache: "off" for what must be done each time, as it has an effect; "refresh", "only" or "use" for this step alone.
        files: The files that it reads; they count by their content.

    Raises:
        UncacheableArgument: An argument has no content to tell it by.
        CacheMiss: The run or the step has cache="only", and it is not remembered.

    >>> from wf_notebook import Workflow, step
    >>> class Blog(Workflow):
    ...     @step
    ...     def outline(self, topic):
    ...         print("thinking")
    ...         return f"1. {topic}"
    ...     def run(self, topic):
    ...         return self.outline(topic)
    >>> blog = Blog(cache="use")
    >>> blog.run("cheese").content
    thinking
    '1. cheese'
    """
    if function is None:
        return functools.partial(_made, name=name, cache=checked_mode(cache), files=tuple(files))
    return _made(function, name=None, cache=None, files=())


def _made(function: Any, *, name: str | None, cache: Mode | None, files: tuple[str, ...]) -> Any:
    if isinstance(function, (classmethod, staticmethod)):
        return type(function)(_made(function.__func__, name=name, cache=cache, files=files))
    if not callable(function) or isinstance(function, type):
        raise BadSetting(f"@step is for functions and methods, and {function!r} is none")
    one = _Step(function, name or str(getattr(function, "__name__", "step")), cache, files)
    if inspect.isasyncgenfunction(function):
        wrapper: Any = one.async_stream
    elif inspect.iscoroutinefunction(function):
        wrapper = one.awaited
    elif inspect.isgeneratorfunction(function):
        wrapper = one.stream
    else:
        wrapper = one.plain

    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def awaited(*args: Any, **kwargs: Any) -> Any:
            return await wrapper(args, kwargs)

        awaited.step = one  # type: ignore[attr-defined] # a function may have attributes
        return awaited

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        return wrapper(args, kwargs)

    called.step = one  # type: ignore[attr-defined] # as above
    return called


class _Step:
    """A function that is a step, called in one of four ways."""

    def __init__(self, function: Callable[..., Any], name: str, mode: Mode | None, files: tuple[str, ...]) -> None:
        self.function, self.name, self.mode, self._files = function, name, mode, files
        self._keyer = Keyer(function, name=name, files=files)

    def __reduce__(self) -> tuple[Any, ...]:
        """Be made anew in another process: what is known of the function here is not known there."""
        return _Step, (self.function, self.name, self.mode, self._files)

    def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call | None:
        """Return the call in this run; None where nothing is remembered."""
        context = current.get()
        cache = remembering(context)
        if context is None or cache is None:
            return None
        owner = args[0] if args and hasattr(args[0], "session_state") else None
        touches = functools.partial(_may_change_the_state, given=[*args, *kwargs.values()])
        return Call(
            context, cache, self.name, "step", lambda: self._keyer.key(args, kwargs), mode=self.mode, touches=touches, owner=owner
        )

    def plain(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a function that gives a value; one that gives a stream is a step that streams."""
        call = self._call(args, kwargs)
        if call is None:
            return self.function(*args, **kwargs)
        for pause in call.seek():
            time.sleep(pause)
        if call.given is not None:
            return call.given.value if call.given.said is None else _Stream(lambda: _again(call), lambda: _again_async(call))
        try:
            with hearing():
                value = call.variables.run(self.function, *args, **kwargs)
        except BaseException as error:
            call.fail(error)
            raise
        if isinstance(value, (Iterator, AsyncIterator)):
            source: Any = value
            return _Stream(lambda: _followed(call, source), lambda: _followed_async(call, source))
        call.keep(value)
        return value

    def stream(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Generator[Any, Any, Any]:
        """Read a generator; nothing happens before the first `next`."""
        call = self._call(args, kwargs)
        if call is None:
            return (yield from self.function(*args, **kwargs))
        for pause in call.seek():
            time.sleep(pause)
        if call.given is not None:
            return (yield from _again(call))
        return (yield from _followed(call, self.function(*args, **kwargs)))

    async def awaited(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Await a coroutine."""
        call = self._call(args, kwargs)
        if call is None:
            return await self.function(*args, **kwargs)
        for pause in call.seek():
            await asyncio.sleep(pause)
        if call.given is not None:
            return call.given.value
        try:
            with hearing():
                value = await within(call.variables, self.function(*args, **kwargs))
        except BaseException as error:
            call.fail(error)
            raise
        await asyncio.to_thread(call.keep, value)
        return value

    async def async_stream(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> AsyncGenerator[Any]:
        """Read an async generator."""
        call = self._call(args, kwargs)
        if call is None:
            async for item in self.function(*args, **kwargs):
                yield item
            return
        for pause in call.seek():
            await asyncio.sleep(pause)
        if call.given is not None:
            async for item in _again_async(call):
                yield item
            return
        async for item in _followed_async(call, self.function(*args, **kwargs)):
            yield item


#: Values that nobody can change.
_STILL = (str, bytes, int, float, complex, bool, type(None))


def _may_change_the_state(key: Key, given: list[Any]) -> bool:
    """Say whether a step may change session_state: its code names it, or it was given something that may be a part of it."""
    code = [part.shown for part in key.parts if part.what in CODE]
    if any("session_state" in source or source.endswith("…") for source in code):  # what is cut may name it
        return True
    return any(not _is_still(value) and not hasattr(value, "session_state") for value in given)


def _is_still(value: Any) -> bool:
    return isinstance(value, _STILL) or (type(value) is tuple and all(map(_is_still, value)))


def _again(call: Call) -> Generator[Any, Any, Any]:
    """Give a stream that was recorded."""
    assert call.given is not None
    yield from call.given.said or ()
    return call.given.value


async def _again_async(call: Call) -> AsyncGenerator[Any]:
    """Give a stream that was recorded to who awaits it."""
    assert call.given is not None
    for item in call.given.said or ():
        yield item


class _Stream(Iterator[Any], AsyncIterator[Any]):
    """The stream of a function that returned one: read by `for` or by `async for`, recorded or as it comes."""

    def __init__(self, plain: Callable[[], Generator[Any, Any, Any]], awaited: Callable[[], AsyncGenerator[Any]]) -> None:
        self._make = plain, awaited
        self._plain: Generator[Any, Any, Any] | None = None
        self._async: AsyncGenerator[Any] | None = None

    def __next__(self) -> Any:
        if self._plain is None:
            self._plain = self._make[0]()
        return next(self._plain)

    async def __anext__(self) -> Any:
        if self._async is None:
            self._async = self._make[1]()
        return await anext(self._async)

    def close(self) -> None:
        """End it."""
        if self._plain is not None:
            self._plain.close()

    async def aclose(self) -> None:
        """End it, where it was awaited."""
        self.close()
        if self._async is not None:
            await self._async.aclose()


def _followed(call: Call, source: Iterator[Any]) -> Generator[Any, Any, Any]:
    """Give a stream as it comes, inside its step, and remember it if it was read to its end."""
    said: list[Any] = []
    try:
        with hearing():
            while True:
                try:
                    item = call.variables.run(next, source)
                except StopIteration as end:
                    value = end.value
                    break
                said.append(item)
                call.pause()
                yield item
                call.resume()
    except BaseException as error:
        close = getattr(source, "close", None)
        if close is not None:
            call.variables.run(close)
        call.fail(error)
        raise
    call.keep(value, said)
    return value


async def _followed_async(call: Call, source: AsyncIterator[Any]) -> AsyncGenerator[Any]:
    said: list[Any] = []
    try:
        with hearing():
            while True:
                try:
                    item = await within(call.variables, source.__anext__())
                except StopAsyncIteration:
                    break
                said.append(item)
                call.pause()
                yield item
                call.resume()
    except BaseException as error:
        if hasattr(source, "aclose"):
            await within(call.variables, cast("Any", source).aclose())
        call.fail(error)
        raise
    await asyncio.to_thread(call.keep, None, said)
