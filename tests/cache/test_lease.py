"""Who may do a step: what is asked of a server holds up nobody else, and a full disk nobody at all."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

from wf_notebook.cache.lease import Lease
from wf_notebook.cache.trail import Trail


class Server:
    """What keeps rights, and takes its time; it says of each whether it was taken."""

    def __init__(self, *taken: bool) -> None:
        self.asked, self.answers, self.taken = threading.Event(), threading.Event(), [*taken]

    def take(self, names):
        self.asked.set()
        assert self.answers.wait(20)
        return self.taken[: len(names)]

    def release(self, name):
        """Hear that others may have it."""


def test_who_waits_for_a_server_keeps_nobody_from_other_steps():
    server, elsewhere = Server(True), Lease(None, "a step without a server")
    with ThreadPoolExecutor(1) as another:
        waiting = another.submit(Lease(None, "a step", server).take)
        assert server.asked.wait(20)
        taken = threading.Thread(target=elsewhere.take, daemon=True)
        taken.start()
        taken.join(5)
        assert (elsewhere.is_mine, waiting.done()) == (True, False)
        server.answers.set()
        assert waiting.result(20)
    elsewhere.release()


def test_a_step_that_the_server_gave_to_another_may_be_asked_for_again():
    server, name = Server(False), "a step that another has"
    server.answers.set()
    assert not Lease(None, name, server).take()
    server.taken = [True]
    lease = Lease(None, name, server)
    assert lease.take()
    lease.release()


def test_where_the_disk_is_full_no_mark_is_left_and_nothing_fails(tmp_path):
    (tmp_path / "s.db.leases").symlink_to("/dev/full")
    trail = Trail(SimpleNamespace(file=tmp_path / "s.db"))
    before = trail.others()
    trail.leave()
    assert trail.others() == before
