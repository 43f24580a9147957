"""Outputs of a cell are compared by what they show, and what differs is told in a few lines."""

from __future__ import annotations

from datetime import UTC, datetime

from wf_notebook.ipynb.outputs import difference, same, shows_widgets
from wf_notebook.render.record import record_bundle, record_metadata
from wf_notebook.run import Run


def stream(text, name="stdout"):
    return {"output_type": "stream", "name": name, "text": text}


def shown(data, **more):
    return {"output_type": "display_data", "data": data, "metadata": {}, **more}


def failed(traceback):
    return {"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": [traceback]}


def record(run):
    return shown(record_bundle(run), metadata={"wf_notebook": record_metadata(run)})


def run_of(**more):
    given = {"run_id": "1", "session_id": "s", "workflow": "Shelf", "status": "completed", "inputs": {}, "content": "Brie."}
    began = {"started_at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "duration": 0.04}
    return Run(**{**given, **began, **more})


def test_when_the_pieces_of_a_stream_came_does_not_count():
    assert same([stream("a\n"), stream("x", "stderr"), stream("b\n")], [stream("a\nb\n"), stream("x", "stderr")])
    assert same([stream("x", "stderr"), stream("a")], [stream("a"), stream("x", "stderr")])
    assert same([stream(["a\n", "b"])], [stream("a\nb")])


def test_what_was_written_over_does_not_count():
    assert same([stream("10 %\r20 %\rdone\n")], [stream("done\n")])
    assert same([stream("ab\b\bok")], [stream("ok")])
    assert not same([stream("10 %\r20 %\rdone\n")], [stream("20 %\n")])


def test_colours_and_addresses_count():
    assert not same([stream("\x1b[31mred\x1b[0m")], [stream("red")])
    assert not same([shown({"text/plain": "<object at 0x7f01>"})], [shown({"text/plain": "<object at 0x7f02>"})])


def test_metadata_and_the_numbers_of_executions_do_not_count():
    one = {"output_type": "execute_result", "data": {"text/plain": "2"}, "metadata": {}, "execution_count": 7}
    assert same([one], [{**one, "execution_count": 2, "metadata": {"of": "somebody"}}])
    line = "\x1b[36mCell\x1b[39m\x1b[32mIn[{}]\x1b[39m, line 1"
    assert same([failed(line.format(3))], [failed(line.format(12))])
    assert not same([failed(line.format(3))], [failed(line.format(3).replace("line 1", "line 2"))])


def test_the_id_of_a_widget_does_not_count_and_what_it_stands_beside_does():
    view = "application/vnd.jupyter.widget-view+json"
    one, other = ({view: {"model_id": name, "version_major": 2}, "text/plain": "Slider(1)"} for name in "ab")
    assert shows_widgets([shown(one)])
    assert same([shown(one)], [shown(other)])
    assert not same([shown(one)], [shown({**other, "text/plain": "Slider(2)"})])


def test_of_a_record_only_when_the_run_was_does_not_count():
    later = {"started_at": datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC), "duration": 2.0, "run_id": "2"}
    assert same([record(run_of())], [record(run_of(**later))])
    assert not same([record(run_of())], [record(run_of(**later, content="Gouda."))])
    assert not same([record(run_of())], [record(run_of(**later, output_tokens=3))])
    assert not same([record(run_of())], [{**record(run_of(**later)), "metadata": {}}])


def test_an_output_more_or_less_is_a_difference():
    assert difference([stream("a")], []) == "stdout, gone\n- a"
    assert difference([], [shown({"text/html": "<b>x</b>", "text/plain": "x"})]) == "text/plain, new\n+ x"
    assert difference([shown({"text/plain": "x"})], [shown({"text/plain": "x", "text/html": "<b>"})]) == "text/html, new"


def test_a_difference_is_short_and_has_in_it_what_differs():
    old, new = (f"{'x' * 400}{letter}{'y' * 400}" for letter in "ab")
    told = difference([shown({"text/html": old, "text/plain": "same"})], [shown({"text/html": new, "text/plain": "same"})])
    name, before, after = told.splitlines()
    assert (name, before[0], after[0]) == ("text/html", "-", "+")
    assert "xay" in before
    assert "xby" in after
    assert max(map(len, told.splitlines())) < 170
    long = difference([stream("\n".join("abcdefghijkl"))], [stream("\n".join("ABCDEFGHIJKL"))])
    assert long.splitlines()[-1] == "… 13 more lines"
    pictures = difference([shown({"image/png": "iVBO" * 500})], [shown({"image/png": "iVBP" * 400})])
    assert pictures == "image/png: 2,000 and 1,600 characters, which differ"
