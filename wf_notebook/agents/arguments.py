"""Keyword arguments of agents: what the old API had and what means nothing here, said once; and what nobody knows."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from ..nearest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: What Agno's Agent takes and ours has no use for, each with the values that ask for nothing and so need no word.
WITHOUT_MEANING: dict[str, tuple[object, ...]] = {
    "agent_id": (None,),
    "introduction": (None,),
    "user_id": (None,),
    "session_id": (None,),
    "session_name": (None,),
    "session_state": (None,),
    "context": (None,),
    "add_context": (False,),
    "resolve_context": (True, False),
    "memory": (None,),
    "knowledge": (None,),
    "add_references": (False,),
    "retriever": (None,),
    "references_format": ("json",),
    "storage": (None,),
    "extra_data": (None,),
    "show_tool_calls": (False,),
    "tool_call_limit": (None,),
    "tool_choice": (None, "auto"),
    "reasoning": (False,),
    "reasoning_model": (None,),
    "reasoning_agent": (None,),
    "reasoning_min_steps": (1,),
    "reasoning_max_steps": (10,),
    "read_chat_history": (False,),
    "search_knowledge": (True, False),
    "update_knowledge": (False,),
    "read_tool_call_history": (False,),
    "system_message_role": ("system",),
    "create_default_system_message": (True,),
    "add_state_in_messages": (False,),
    "add_messages": (None,),
    "user_message": (None,),
    "user_message_role": ("user",),
    "create_default_user_message": (True,),
    "delay_between_retries": (1,),
    "exponential_backoff": (True, False),  # always
    "parse_response": (True,),
    "stream": (None, False),
    "stream_intermediate_steps": (True, False),
    "team": (None,),
    "team_data": (None,),
    "respond_directly": (False,),
    "add_transfer_instructions": (True, False),
    "team_response_separator": ("\n",),
    "debug_mode": (False,),
    "monitoring": (False,),
    "telemetry": (True, False),  # nothing is ever sent
}

#: The same for `Agent.run`.
RUN_WITHOUT_MEANING: dict[str, tuple[object, ...]] = {"stream_intermediate_steps": (True, False)}

#: What other packages call it, and what is a setting of the model: how it is written here.
WRITTEN_HERE = {
    **dict.fromkeys(("system_prompt", "system", "prompt"), "instructions=…"),
    **dict.fromkeys(("output_type", "result_type", "output_schema", "response_format"), "response_model=…"),
    **{
        name: f"model_settings={{{name!r}: …}}"
        for name in (
            "temperature",
            "max_tokens",
            "top_p",
            "top_k",
            "seed",
            "stop_sequences",
            "presence_penalty",
            "frequency_penalty",
        )
    },
}

_said: set[str] = set()


def check(
    function: str, given: Mapping[str, Any], known: Iterable[str], without_meaning: Mapping[str, tuple[object, ...]]
) -> None:
    """Warn once per process of each argument without a meaning here, and refuse a name that nobody knows.

    >>> check("Agent", {"modle": 1}, ["model", "name"], WITHOUT_MEANING)
    Traceback (most recent call last):
    ...
    TypeError: Agent() takes no argument 'modle'; did you mean 'model'?
    """
    for name, value in given.items():
        if name not in without_meaning:
            here = f"; write {WRITTEN_HERE[name]}" if function == "Agent" and name in WRITTEN_HERE else ""
            raise TypeError(f"{function}() takes no argument {name!r}{here or did_you_mean(name, [*known, *without_meaning])}")
        if not any(value is harmless or value == harmless for harmless in without_meaning[name]) and name not in _said:
            _said.add(name)
            warnings.warn(f"{function}({name}=…) has no meaning here and is left out", UserWarning, stacklevel=3)
