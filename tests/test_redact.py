"""Values of keys and tokens become their names in what we write."""

from __future__ import annotations

import json

import pytest
from pydantic import SecretStr

from wf_notebook.redact import redact, register_secret, secrets_in


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "HF_TOKEN", "STRIPE_SECRET", "my_service_token"])
def test_the_value_of_a_variable_named_like_a_secret_becomes_its_name(monkeypatch, name):
    monkeypatch.setenv(name, "s3cr3t-value")
    assert redact("key s3cr3t-value, again s3cr3t-value.") == f"key <redacted {name}>, again <redacted {name}>."
    assert secrets_in("s3cr3t-value and s3cr3t-value") == [name]


@pytest.mark.parametrize(("name", "value"), [("SOME_API_KEY", "short"), ("HOMEPAGE", "a-long-value"), ("TOKENS", "a-long-value")])
def test_other_values_stay(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    assert redact(f"it is {value}") == f"it is {value}"
    assert secrets_in(f"it is {value}") == []


def test_a_key_that_comes_into_the_environment_later_is_found(monkeypatch):
    assert redact("later-is-fine") == "later-is-fine"
    monkeypatch.setenv("LATER_API_KEY", "later-is-fine")
    assert redact("later-is-fine") == "<redacted LATER_API_KEY>"
    monkeypatch.delenv("LATER_API_KEY")
    assert redact("later-is-fine") == "later-is-fine"


def test_the_longer_of_two_secrets_wins(monkeypatch):
    monkeypatch.setenv("A_TOKEN", "abcdefgh")
    monkeypatch.setenv("B_TOKEN", "abcdefgh-and-more")
    assert redact("abcdefgh-and-more abcdefgh") == "<redacted B_TOKEN> <redacted A_TOKEN>"


def test_a_secret_is_found_where_it_is_escaped_as_in_json(monkeypatch):
    secret = 'pass"word\\ü\n1'
    monkeypatch.setenv("ODD_SECRET", secret)
    assert redact(json.dumps({"key": secret})) == '{"key": "<redacted ODD_SECRET>"}'
    assert redact(json.dumps({"key": secret}, ensure_ascii=False)) == '{"key": "<redacted ODD_SECRET>"}'


def test_a_registered_argument_is_redacted_by_its_name():
    register_secret("api_key", "given-as-an-argument")
    register_secret("password", SecretStr("given-as-a-secret-str"))
    assert redact("given-as-an-argument given-as-a-secret-str") == "<redacted api_key> <redacted password>"


def test_text_without_secrets_is_the_same_object(monkeypatch):
    text = "nothing to hide"
    assert redact(text) is text
    monkeypatch.setenv("SOME_TOKEN", "something-else")
    assert redact(text) == text
