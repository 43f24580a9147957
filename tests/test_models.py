"""Descriptions of models as the old API has them."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pydantic import SecretStr

from wf_notebook import models
from wf_notebook.agents.resolve import resolve
from wf_notebook.errors import UnknownModel
from wf_notebook.models import Claude, Gemini, Ollama, OpenAIChat, OpenAILike
from wf_notebook.redact import redact


def test_a_description_loads_nothing():
    code = (
        "import sys; from wf_notebook.models import OpenAIChat; from wf_notebook import Agent;"
        "Agent(model=OpenAIChat(id='gpt-4o')); print('pydantic_ai' in sys.modules, 'openai' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False False\n"


@pytest.mark.parametrize("key", ["sk-secret-of-mine", SecretStr("sk-secret-of-mine")])
def test_a_key_is_in_no_repr_and_is_redacted_from_now_on(key):
    model = OpenAIChat("gpt-4o", api_key=key, temperature=0.2)
    assert repr(model) == "OpenAIChat('gpt-4o', api_key=<redacted>, temperature=0.2)"
    assert redact("sent sk-secret-of-mine") == "sent <redacted api_key>"
    assert model.connection == {"api_key": "sk-secret-of-mine"}


def test_equal_descriptions_are_one_model():
    assert OpenAIChat(id="gpt-4o", stop="END") == OpenAIChat("gpt-4o", stop=["END"])
    assert len({OpenAIChat("gpt-4o", stop=["a", "b"]), OpenAIChat("gpt-4o", stop=("a", "b"))}) == 1


def test_settings_have_the_names_that_requests_use():
    assert OpenAIChat("o3", max_completion_tokens=9, reasoning_effort="low", stop="END").settings == {
        "max_tokens": 9,
        "openai_reasoning_effort": "low",
        "stop_sequences": ["END"],
    }
    assert Claude().settings == {"max_tokens": 1024}
    assert Gemini(max_output_tokens=5, temperature=0).settings == {"max_tokens": 5, "temperature": 0}


def test_a_host_of_ollama_is_the_servers_address():
    assert Ollama("llama3.2", host="http://gpu:11434/").connection == {"base_url": "http://gpu:11434/v1"}


def test_a_description_becomes_the_model_of_its_provider():
    resolved = resolve(OpenAIChat(id="gpt-4o", api_key="sk-not-a-real-key", temperature=0.2))
    assert (type(resolved.model).__name__, resolved.name, resolved.settings) == (
        "OpenAIChatModel",
        "gpt-4o",
        {"temperature": 0.2},
    )
    like = resolve(OpenAILike("mine", base_url="http://localhost:1/v1"))
    assert str(like.model.base_url) == "http://localhost:1/v1/"


def test_equal_descriptions_share_their_connections():
    assert resolve(OpenAIChat(api_key="sk-not-a-real-key")).model is resolve(OpenAIChat(api_key="sk-not-a-real-key")).model


def test_a_description_without_its_key_says_which_variable_to_set():
    with pytest.raises(UnknownModel, match=r"'openai-chat:gpt-4o' needs OPENAI_API_KEY, which is not set"):
        resolve(OpenAIChat())


@pytest.mark.parametrize("kind", models.PROVIDERS, ids=lambda kind: kind.__name__)
def test_every_kind_is_known_to_pydantic_ai(kind, monkeypatch):
    monkeypatch.setenv(kind.key_variable, "http://localhost:1/v1")
    try:
        name = resolve(kind()).name
    except UnknownModel as error:
        name = str(error)
    # Not every provider's package is installed here.
    assert name == kind().id or "needs a package that is missing: pip install 'pydantic-ai-slim[" in name


def test_every_name_that_the_room_promises_is_there():
    assert all(hasattr(models, name) for name in models.__all__)
