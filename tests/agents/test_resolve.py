"""From what a user calls a model to the model; what is missing is named with the way to get it."""

from __future__ import annotations

import sys

import pytest
from pydantic_ai.models.test import TestModel

from wf_notebook import Agent
from wf_notebook.agents.resolve import resolve
from wf_notebook.errors import NoModel, UnknownModel


@pytest.fixture(autouse=True)
def models_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("WF_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def test_a_pydantic_ai_model_is_taken_as_it_is():
    model = TestModel()
    assert resolve(model).model is model


def test_a_name_is_taken_as_pydantic_ai_takes_it(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-a-real-key")
    resolved = resolve("openai-chat:gpt-4o")
    assert (type(resolved.model).__name__, resolved.name, resolved.cost_free) == ("OpenAIChatModel", "gpt-4o", False)


def test_equal_names_share_their_connections_until_the_key_changes(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-a-real-key")
    first = resolve("openai:gpt-4o").model
    assert resolve("openai:gpt-4o").model is first
    monkeypatch.setenv("OPENAI_API_KEY", "sk-another-one")
    assert resolve("openai:gpt-4o").model is not first


def test_ollama_is_looked_for_on_this_machine(monkeypatch):
    assert str(resolve("ollama:llama3.2").model.base_url) == "http://localhost:11434/v1/"
    monkeypatch.setenv("OLLAMA_BASE_URL", "http://gpu:1/v1")
    assert str(resolve("ollama:llama3.2").model.base_url) == "http://gpu:1/v1/"


def test_wf_model_is_used_when_none_is_named(monkeypatch):
    monkeypatch.setenv("WF_MODEL", "test")
    assert Agent().run("?").model == "test"


def test_no_model_at_all_names_the_three_ways():
    with pytest.raises(NoModel) as missing:
        Agent().run("?")
    message = str(missing.value)
    assert "\n" not in message
    for way in ("WF_MODEL", "model=", "wf models pull smollm2", "pydantic-ai model"):
        assert way in message


def test_no_model_shows_at_the_first_call_and_not_before():
    stream = Agent().run("?", stream=True)
    with pytest.raises(NoModel):
        next(stream)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gpt-4o", "no model named 'gpt-4o'; did you mean 'openai:gpt-4o'?"),
        ("opnai:gpt-4o", "no model named 'opnai:gpt-4o'; did you mean 'openai:gpt-4o'?"),
        ("claude-9", "no model named 'claude-9'; did you mean 'anthropic:claude-9'?"),
        ("smollm2", "no model named 'smollm2'; did you mean 'local:smollm2'?"),
        ("zzz:qqq", "no model named 'zzz:qqq'; a name is provider:model, like openai:gpt-5.2 or local:smollm2"),
        (
            "openai:gpt-4o",
            "the model 'openai:gpt-4o' needs OPENAI_API_KEY, which is not set, or empty: put it into the environment",
        ),
        ("local:smolm2", "no local model named 'smolm2'; did you mean 'smollm2'?"),
        ("local:zzz", "no local model named 'zzz'; `wf models` lists those that can be fetched"),
        ("local:smollm2", "the model 'local:smollm2' is not on this machine: fetch it by `wf models pull smollm2`"),
        ("local:/nowhere/x.gguf", "there is no model file at '/nowhere/x.gguf'"),
        (5, "a model is a name like 'openai:gpt-5.2', a pydantic-ai model or one of wf_notebook.models, not 'int'"),
    ],
)
def test_an_unknown_model_says_what_to_do(name, message):
    with pytest.raises(UnknownModel) as unknown:
        Agent(name).run("?")
    assert str(unknown.value) == message


def test_a_missing_package_is_named_with_the_way_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "anthropic", None)
    for module in ("pydantic_ai.providers.anthropic", "pydantic_ai.models.anthropic"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    with pytest.raises(UnknownModel) as unknown:
        resolve("anthropic:claude-sonnet-4-6")
    assert str(unknown.value) == (
        "the model 'anthropic:claude-sonnet-4-6' needs a package that is missing: pip install 'pydantic-ai-slim[anthropic]'"
    )


def test_what_runs_local_models_is_named_when_it_is_missing(monkeypatch, models_folder):
    models_folder.mkdir()
    (models_folder / "mine.gguf").write_bytes(b"GGUF")
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(UnknownModel, match=r"local models need the package 'xllamacpp': pip install 'wf-notebook\[local\]'"):
        Agent("local:mine").run("?")


def test_a_key_that_is_set_but_empty_is_as_one_that_is_not_set(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "")
    with pytest.raises(UnknownModel, match="needs OPENAI_API_KEY, which is not set, or empty"):
        resolve("openai:gpt-4o")
