"""Whoever presses Ctrl-C again and again while the process ends sees no traceback, and loses nothing."""

from __future__ import annotations

import signal
import subprocess
import sys

from wf_notebook import open_storage

#: The process ends while a sweep goes on; its row, when it is ended, is interrupted once more.
SWEEP = """
import asyncio, os, signal
from wf_notebook import Workflow

class Slow(Workflow):
    async def arun(self, n: int):
        try:
            await asyncio.sleep(60)
        finally:
            os.kill(os.getpid(), signal.SIGINT)

sweep = Slow(storage="sqlite:///s.db").map([1]).start()
while not sweep.progress.running:
    sweep.wait(0.01)
"""
#: The command has ended, and a thread is waited for when the interrupt comes.
COMMAND = """
import os, signal, sys, threading
from wf_notebook.cli import main

def late():
    threading.main_thread().join()
    os.kill(os.getpid(), signal.SIGINT)

threading.Thread(target=late).start()
sys.argv = ["wf", "--version"]
main()
"""
#: Whatever it is that takes so long, it is not waited for.
HUNG = """
import signal
from wf_notebook import exiting

exiting.PATIENCE = -1
exiting.hold_interrupts()
signal.raise_signal(signal.SIGINT)
print("still here")
"""


def ended(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def test_a_sweep_that_goes_on_at_exit_is_stopped_and_kept_though_it_is_interrupted():
    assert ended(SWEEP) == (0, "", "")
    kept = open_storage("sqlite:///s.db").read("SELECT workflow, status FROM runs ORDER BY 1")
    assert kept == [("Slow", "stopped"), ("Slow.map", "stopped")]


def test_a_command_that_is_over_says_nothing_of_a_late_interrupt():
    code, _, errors = ended(COMMAND)
    assert (code, errors) == (0, "")


def test_after_a_while_an_interrupt_ends_the_process_at_once():
    assert ended(HUNG) == (-signal.SIGINT, "", "")
