"""What an agent is told, in the order and words of the old API."""

from __future__ import annotations

from datetime import datetime

import pytest
from pydantic import BaseModel

from wf_notebook import Agent
from wf_notebook.agents.prompt import instructions


class Answer(BaseModel):
    text: str


def test_everything_has_its_place():
    agent = Agent(
        name="Ada",
        description="You are a poet.",
        goal="Rhyme.",
        role="The lead.",
        instructions=["Be brief.", "Be kind."],
        markdown=True,
        add_name_to_instructions=True,
        expected_output=" Four lines. ",
        additional_context="It is spring.",
    )
    assert instructions(agent) == (
        "You are a poet.\n\n"
        "<your_goal>\nRhyme.\n</your_goal>\n\n"
        "<your_role>\nThe lead.\n</your_role>\n\n"
        "<instructions>\n- Be brief.\n- Be kind.\n</instructions>\n\n"
        "<additional_information>\n- Use markdown to format your answers.\n- Your name is: Ada.\n</additional_information>\n\n"
        "<expected_output>\nFour lines.\n</expected_output>\n\n"
        "It is spring."
    )


def test_a_single_instruction_stands_by_itself():
    assert instructions(Agent(instructions="Be brief.")) == "<instructions>\nBe brief.\n</instructions>"


def test_nothing_to_say_is_nothing_said():
    assert instructions(Agent()) is None
    assert instructions(Agent(instructions=[])) is None


def test_a_function_is_asked_at_each_call():
    assert (
        instructions(Agent(name="Ada", instructions=lambda agent: [f"I am {agent.name}."]))
        == "<instructions>\nI am Ada.\n</instructions>"
    )
    assert instructions(Agent(name="Ada", system_message=lambda agent: f"Only {agent.name}.", description="x")) == "Only Ada."


def test_a_system_message_stands_in_place_of_all():
    assert instructions(Agent(description="x", instructions="y", system_message="Only this.")) == "Only this."


def test_markdown_is_not_asked_for_where_the_answer_is_a_model():
    assert instructions(Agent(markdown=True, response_model=Answer)) is None


@pytest.mark.parametrize("year", [datetime.now().astimezone().strftime("%Y")])
def test_the_time_is_told(year):
    assert f"- The current time is {year}-" in instructions(Agent(add_datetime_to_instructions=True))
