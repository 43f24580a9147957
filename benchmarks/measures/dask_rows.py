"""Rows a second of `map` over a cluster of Dask on this machine: one worker of one thread, and two.

A row has 10 ms of work: `busy` is 10 ms of its process's time in a loop, `waits` is a wait of 10 ms, as for a server. The driver
writes the rows, to memory; the cluster is there, and has done some rows, before the clock starts. `driver` is the driver's own
processor time for a row in milliseconds, with that of the scheduler, which is in its process.
"""

from __future__ import annotations

import json
import sys
import time

from wf_notebook import Workflow

count = int(sys.argv[1])
MILLISECONDS = 10


class Row(Workflow):
    """A row with 10 ms of work."""

    def run(self, n: int, work: str):
        """Work, and say so."""
        if work == "waits":
            time.sleep(MILLISECONDS / 1000)
        else:
            until = time.thread_time() + MILLISECONDS / 1000
            while time.thread_time() < until:
                pass
        return f"{n}"


def timed(client, rows, **how):
    """Return how many rows were done a second, and the driver's milliseconds for each."""
    began, used = time.perf_counter(), time.process_time()
    done = Row(storage="memory:").map(range(rows), executor=client, **how).result()
    took, driver = time.perf_counter() - began, time.process_time() - used
    assert [row.content for row in done] == [f"{n}" for n in range(rows)]
    return rows / took, driver / rows * 1000


def main():
    """Measure one cluster."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", host="127.0.0.1") as cluster,
        Client(cluster) as client,
    ):
        timed(client, min(count, 40), work="waits")
        said = {}
        for work in ("waits", "busy"):
            for workers in (1, 2):
                said[f"{work} {workers}"], said["driver"] = timed(client, count, work=work, limit=workers)
    print(json.dumps(said))


if __name__ == "__main__":
    main()
