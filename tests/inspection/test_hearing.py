"""Requests of a page: each is done once and always answered, whatever the op does."""

from __future__ import annotations

import json
import threading
from queue import SimpleQueue

import pytest

from wf_notebook.inspection import Hearing, Inspector
from wf_notebook.inspection.hearing import ANSWERS, HANDS


@pytest.fixture
def answers():
    """Return what hears the answers."""
    return SimpleQueue()


def hearing(answers, **ops):
    return Hearing(Inspector("memory:"), answers.put, ops)


def fails(error):
    def op(*_):
        raise error

    return op


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("it failed"), "ValueError: it failed"),
        (SystemExit(3), "SystemExit: 3"),
        (KeyboardInterrupt(), "KeyboardInterrupt: "),
        (ValueError("half a pair: \ud83d"), "ValueError: half a pair: ?"),
    ],
)
def test_an_op_that_raises_is_answered(answers, error, text):
    hearing(answers, op=fails(error)).hear({"id": 1, "op": "op"})
    assert answers.get(timeout=5) == {"id": 1, "ok": False, "kind": type(error).__name__, "error": text}


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (float("nan"), "nan"),
        ([float("-inf"), 0.5], ["-inf", 0.5]),
        (b"\x00", r"b'\x00'"),
        ({"\ud800": "\ud800"}, {"?": "?"}),
        ([10**5000], ["an int of 16610 bits"]),
        ({("a", 1): {2}}, {"('a', 1)": "{2}"}),
        ({"n": True, "none": None, "nan": float("nan")}, {"n": True, "none": None, "nan": "nan"}),
    ],
)
def test_what_json_cannot_hold_is_sent_as_a_text(answers, value, sent):
    hearing(answers, op=lambda *_: value).hear({"id": 1, "op": "op"})
    answer = answers.get(timeout=5)
    assert answer == {"id": 1, "ok": True, "result": sent}
    json.dumps(answer, ensure_ascii=False, allow_nan=False).encode()


def test_a_value_without_an_end_is_answered(answers):
    endless = []
    endless.append(endless)
    hearing(answers, op=lambda *_: endless).hear({"id": 1, "op": "op"})
    answer = answers.get(timeout=5)
    assert (answer["ok"], answer["kind"]) == (False, "RecursionError")


def test_a_request_that_is_asked_again_is_done_once(answers):
    done, free = [], threading.Event()

    def op(_, asked):
        done.append(asked["id"])
        free.wait(5)
        return len(done)

    heard = hearing(answers, op=op)
    for _ in range(3):
        heard.hear({"id": "a 1", "op": "op"})
    assert [answers.get(timeout=5) for _ in range(2)] == [{"id": "a 1", "working": True}] * 2
    free.set()
    answer = answers.get(timeout=5)
    heard.hear({"id": "a 1", "op": "op"})
    assert answers.get(timeout=5) == answer == {"id": "a 1", "ok": True, "result": 1}
    assert done == ["a 1"]


def test_so_many_answers_are_remembered_and_those_that_are_worked_on(answers):
    free = threading.Event()
    heard = hearing(answers, slow=lambda *_: free.wait(5), quick=lambda *_: None)
    heard.hear({"id": "slow", "op": "slow"})
    for n in range(ANSWERS + 10):
        heard.hear({"id": n, "op": "quick"})
        answers.get(timeout=5)
    heard.hear({"id": "slow", "op": "slow"})
    assert answers.get(timeout=5) == {"id": "slow", "working": True}
    free.set()
    assert answers.get(timeout=5)["result"] is True
    assert len(heard._answers) == ANSWERS


def test_what_moves_the_place_waits_for_nothing_and_keeps_its_order(answers):
    free = threading.Event()
    heard = hearing(answers, slow=lambda *_: free.wait(5))
    for n in range(2 * HANDS):
        heard.hear({"id": f"slow {n}", "op": "slow"})
    for n in range(100):
        heard.hear({"id": n, "op": "look", "to": {"version": n}})
        assert answers.get(timeout=5)["id"] == n
    assert heard._inspector.place.version == 99
    free.set()
    assert sorted(answers.get(timeout=5)["id"] for _ in range(2 * HANDS)) == sorted(f"slow {n}" for n in range(2 * HANDS))


def test_a_page_that_is_gone_does_not_stop_the_others(answers):
    def send(answer):
        answers.put(answer)
        raise OSError("no comm")

    heard = Hearing(Inspector("memory:"), send, {"op": lambda *_: 1})
    for n in range(2 * HANDS):
        heard.hear({"id": n, "op": "op"})
    assert {answers.get(timeout=5)["id"] for _ in range(2 * HANDS)} == set(range(2 * HANDS))


@pytest.mark.parametrize("message", [{}, {"op": ["look"]}, {"op": None, "id": {}}, {"op": "look"}, {"op": "look", "to": 3}])
def test_a_request_that_makes_no_sense_is_answered(answers, message):
    hearing(answers).hear(message)
    assert answers.get(timeout=5)["ok"] is False
