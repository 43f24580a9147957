"""A sweep over a cluster of Dask, as a program that can be killed: each row asks a model once, and works on for a moment."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from wf_notebook import Agent, Workflow
from wf_notebook.testing import scripted

if __name__ == "__main__":
    address, database, folder, count = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])

    async def answer(request):
        """Take a moment, and note that the call was finished."""
        import asyncio

        await asyncio.sleep(0.05)
        with (Path(folder) / request.message.split()[-1]).open("a") as file:
            file.write("x")
        return f"about {request.message}"

    class Blog(Workflow):
        """A row."""

        writer = Agent(scripted(*[answer] * 10_000))

        def run(self, topic: str):
            """Ask a model, and go on."""
            post = self.writer.run(topic)
            time.sleep(0.03)
            return post

    from distributed import Client

    with Client(address) as client:
        sweep = Blog(storage=database).map([f"row {n}" for n in range(count)], executor=client)
        rows = sweep.result()
    sys.stdout.write(f"{sum(row.status == 'completed' for row in rows)} {sum(row.hit for row in rows)}\n")
