"""What an agent is told: its instructions from its settings, in the order and words of the old API."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .settings import Settings


#: The sentence by which a model is told the time.
TIME = re.compile(r"The current time is \d[^\n]*\.")


def instructions(agent: Settings) -> str | None:
    r"""Return what the model is told before the message, or None for nothing.

    >>> from wf_notebook.agents.settings import Settings
    >>> print(instructions(Settings(description="You sum up.", instructions=["Be brief.", "Be kind."], markdown=True)))
    You sum up.
    <BLANKLINE>
    <instructions>
    - Be brief.
    - Be kind.
    </instructions>
    <BLANKLINE>
    <additional_information>
    - Use markdown to format your answers.
    </additional_information>
    """
    if agent.system_message is not None:
        return str(agent.system_message(agent=agent) if callable(agent.system_message) else agent.system_message)
    parts = [
        agent.description,
        _tagged("your_goal", agent.goal),
        _tagged("your_role", agent.role),
        _tagged("instructions", _lines(_called(agent))),
        _tagged("additional_information", "\n".join(f"- {line}" for line in _additional(agent))),
        _tagged("expected_output", agent.expected_output and agent.expected_output.strip()),
        agent.additional_context and agent.additional_context.strip(),
    ]
    return "\n\n".join(part for part in parts if part) or None


def _called(agent: Settings) -> list[str]:
    said = agent.instructions(agent=agent) if callable(agent.instructions) else agent.instructions
    return [] if said is None else [said] if isinstance(said, str) else list(said)


def _lines(said: list[str]) -> str:
    """A single instruction stands by itself, several are a list."""
    return said[0] if len(said) == 1 else "\n".join(f"- {line}" for line in said)


def _additional(agent: Settings) -> list[str]:
    information = []
    if agent.markdown and agent.response_model is None:
        information.append("Use markdown to format your answers.")
    if agent.add_datetime_to_instructions:
        information.append(f"The current time is {datetime.now().astimezone().isoformat(sep=' ', timespec='seconds')}.")
    if agent.add_name_to_instructions and agent.name:
        information.append(f"Your name is: {agent.name}.")
    return information


def _tagged(tag: str, text: str | None) -> str | None:
    return f"<{tag}>\n{text}\n</{tag}>" if text else None


#: The parts in tags, and what people call them.
_CALLED = {
    "your_goal": "Your goal: ", "your_role": "Your role: ", "instructions": "", "additional_information": "",
    "expected_output": "Expected output: ",
}  # fmt: skip
_OPENS = re.compile(rf"^<({'|'.join(_CALLED)})>\n", re.MULTILINE)
_CLOSES = re.compile(rf"\n</(?:{'|'.join(_CALLED)})>$", re.MULTILINE)


def as_read(told: str) -> str:
    r"""Return what a model is told as people read it: without the tags around its parts.

    >>> as_read("You sum up.\n\n<your_goal>\nTo be brief.\n</your_goal>\n\n<instructions>\n- Be kind.\n</instructions>")
    'You sum up.\n\nYour goal: To be brief.\n\n- Be kind.'
    """
    return _CLOSES.sub("", _OPENS.sub(lambda found: _CALLED[found[1]], told))


def message_text(message: Any) -> str | None:
    """Return a message as text: a str as it is, a model, list or dict as JSON; None is no message.

    >>> message_text({"topic": "ducks"})
    '{"topic": "ducks"}'
    """
    if message is None or isinstance(message, str):
        return message
    if hasattr(message, "model_dump_json"):
        return str(message.model_dump_json())
    if isinstance(message, (list, tuple, dict)):
        return json.dumps(message, ensure_ascii=False)
    raise TypeError(f"an agent takes a str, a model, a list or a dict as its message, not {type(message).__name__!r}")
