"""Several processes and threads that want one step: it is done once, also where its holder is killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import threading
from collections import Counter

import pytest

from wf_notebook import Workflow, open_storage, step

PROGRAM = (
    textwrap.dedent("""
    import os, sys, time, logging
    from wf_notebook import Workflow, step

    note = logging.getLogger("calls")
    note.addHandler(logging.FileHandler("calls.txt"))
    note.setLevel("INFO")
    note.propagate = False

    class Ten(Workflow):
        @step
        def one(self, n):
            note.info(str(n))
            if wait == n:
                os.write(1, b"here\\n")  # what is printed would be printed by who gets its result, too
                sys.stdin.readline()
            return n * 2

        @step
        def streamed(self, n):
            note.info(f"s{n}")
            for part in range(3):
                yield f"{n}.{part} "

        def run(self):
            total = 0
            for n in range(5):
                total += self.one(n)
                yield from self.streamed(total)
            self.session_state["total"] = total

    wait = WAIT = int(sys.argv[2])
    ten = Ten(session_id="a", storage=sys.argv[1], cache="use")
    print(ten.run().result().content)
    print(ten.session_state, flush=True)
""")
    .replace("if wait == n:", "if int(sys.argv[2]) == n:")
    .replace("wait = WAIT = int(sys.argv[2])\n", "")
)
TEXT = "".join(f"{total}.{part} " for total in (0, 2, 6, 12, 20) for part in range(3))


@pytest.fixture(params=["sqlite:///{}/runs.db", "duckdb:///{}/runs.db", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request, place, tmp_path):
    return place(request.param).format(tmp_path)


@pytest.fixture
def program(tmp_path):
    """Start the program; what still runs at the end is killed."""
    (tmp_path / "ten.py").write_text(PROGRAM)
    started = []

    def start(url, wait=-1):
        process = subprocess.Popen(
            [sys.executable, "ten.py", url, str(wait)],
            cwd=tmp_path,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            pipe.close()


def calls(tmp_path):
    return Counter((tmp_path / "calls.txt").read_text().split())


def test_a_run_that_is_killed_goes_on_after_its_last_step(url, program, tmp_path):
    for wait in (1, 3):
        killed = program(url, wait)
        assert killed.stdout.readline() == "here\n"
        killed.send_signal(signal.SIGKILL)
        killed.wait(20)
    last = program(url)
    assert last.communicate(timeout=30)[0].split("\n")[:2] == [TEXT, "{'total': 20}"]
    counted = calls(tmp_path)
    assert {name: n for name, n in counted.items() if n > 1} == {"1": 2, "3": 2}  # those that were at work when it was killed
    assert len(counted) == 10


def test_two_processes_do_a_step_once_and_the_second_takes_over_when_the_first_is_killed(url, program, tmp_path):
    first = program(url, 2)
    assert first.stdout.readline() == "here\n"
    second = program(url)
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(1.5)
    assert calls(tmp_path)["2"] == 1
    first.send_signal(signal.SIGKILL)
    out, _ = second.communicate(timeout=30)
    assert out.split("\n")[0] == TEXT
    assert calls(tmp_path)["2"] == 2
    assert max(n for name, n in calls(tmp_path).items() if name != "2") == 1


def test_what_another_process_did_meanwhile_is_not_done_again(url, program, tmp_path):
    first = program(url, 2)
    assert first.stdout.readline() == "here\n"
    second = program(url)
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(1.5)
    first.stdin.write("\n")
    first.stdin.flush()
    for process in (first, second):
        assert process.communicate(timeout=30)[0].split("\n")[0] == TEXT
    assert set(calls(tmp_path).values()) == {1}


def test_two_threads_do_a_step_once(tmp_path):
    began, go_on = threading.Event(), threading.Event()

    class Slow(Workflow):
        @step
        def slow(self):
            began.set()
            go_on.wait(10)
            return 1

        def run(self):
            return str(self.slow())

    storage = open_storage(f"sqlite:///{tmp_path}/runs.db")
    runs = [Slow(session_id="a", storage=storage, cache="use") for _ in range(2)]
    threads = [threading.Thread(target=run.run) for run in runs]
    threads[0].start()
    assert began.wait(10)
    threads[1].start()
    began.clear()
    assert not began.wait(0.2)
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert not began.is_set()
    assert sorted(row["from"] for run in runs for row in run.last_run.why()) == ["● done", "✓ store"]


def test_who_waits_for_a_step_can_be_stopped(tmp_path):
    began, go_on = threading.Event(), threading.Event()

    class Slow(Workflow):
        @step
        def slow(self):
            began.set()
            go_on.wait(10)
            return 1

        def run(self):
            yield str(self.slow())

    storage = open_storage(f"sqlite:///{tmp_path}/runs.db")
    first, second = (Slow(session_id="a", storage=storage, cache="use") for _ in range(2))
    thread = threading.Thread(target=lambda: first.run().result())
    thread.start()
    assert began.wait(10)
    stream = second.run()
    stopping = threading.Timer(0.2, stream.stop)
    stopping.start()
    assert list(stream) == []
    assert second.last_run.status == "stopped"
    go_on.set()
    thread.join(10)
    assert first.last_run.status == "completed"


ASKS = textwrap.dedent("""
    import os, signal, sys, logging
    from pydantic_ai.messages import ModelResponse, TextPart
    from pydantic_ai.models.function import FunctionModel
    from wf_notebook import Agent, Workflow

    note = logging.getLogger("calls")
    note.addHandler(logging.FileHandler("calls.txt"))
    note.setLevel("INFO")
    note.propagate = False


    def answer(messages, info):
        asked = messages[-1].parts[-1].content
        note.info(asked)
        if asked == os.environ.get("KILLED_AT"):
            os.kill(os.getpid(), 9)
        return ModelResponse(parts=[TextPart(asked.upper())])

    class Ten(Workflow):
        writer = Agent(FunctionModel(answer), instructions="Be brief.")
        def run(self):
            said = ""
            for n in range(10):
                said = self.writer.run(f"{n}{said[-2:].lower()}").content
                self.session_state["last"] = said
                yield said + " "

    for killed_at in sys.argv[2:]:  # each in a process of its own, which has all that is imported
        if not (child := os.fork()):
            os.environ["KILLED_AT"] = killed_at
            break
        assert os.waitpid(child, 0)[1] == signal.SIGKILL

    ten = Ten(session_id="a", storage=sys.argv[1], cache="use")
    print(ten.run().result().content, ten.session_state)
""")


@pytest.mark.slow
def test_a_run_of_ten_model_calls_that_is_killed_at_every_point_asks_again_only_what_was_not_answered(tmp_path):
    (tmp_path / "asks.py").write_text(ASKS)

    def run(*arguments):
        command = [sys.executable, "asks.py", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    undisturbed = run("memory:").stdout
    asked = (tmp_path / "calls.txt").read_text().split()
    (tmp_path / "calls.txt").unlink()
    last = run("duckdb:///runs.duckdb", *asked)
    assert (last.stdout, last.returncode) == (undisturbed, 0)
    assert calls(tmp_path) == dict.fromkeys(asked, 2)  # each was killed once in mid-answer, and answered once
