"""Kilobytes that a row of a sweep takes in the store, closed, each row with one call of a model: file, WAL and what is beside it.

Each row has a prompt of 2,000 characters of its own, and an answer of 600, of words from descriptions of packages. `ms` are
milliseconds of our own work in a row, of the processor's time, eight in flight, on a model that answers at once.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from random import Random
from time import process_time

from given import folder
from pydantic_ai.messages import ModelResponse, TextPart
from pydantic_ai.models.function import FunctionModel

from wf_notebook import Agent, Workflow
from wf_notebook.storage import open_storage

WORDS = (Path(__file__).parents[2] / "notebooks" / "data" / "packages.csv").read_text(encoding="utf-8").split()
PROMPT, ANSWER = 2000, 600


def text(seed, size):
    """Return so many characters of words, others for each seed."""
    return " ".join(Random(seed).choices(WORDS, k=size // 4))[:size]  # noqa: S311 - no secret


async def answer(messages, _info):
    """Answer as a model would that has no end of words."""
    return ModelResponse(parts=[TextPart(text(messages[-1].parts[-1].content, ANSWER))])


class Call(Workflow):
    """Asks once."""

    writer = Agent(model=FunctionModel(answer))

    def run(self, prompt: str):
        """Ask."""
        return self.writer.run(prompt)


if __name__ == "__main__":
    side, count = sys.argv[1], int(sys.argv[2])
    with folder() as place:
        storage = open_storage(f"{side}:///{place}/runs.db")
        prompts = [text(f"prompt {number}", PROMPT) for number in range(count)]
        began = process_time()
        rows = Call(storage=storage).map(prompts).result()
        took = process_time() - began
        assert all(len(row.content) == ANSWER for row in rows)
        storage.close()
        size = sum(file.stat().st_size for file in Path(place).iterdir())
        print(json.dumps({"size": size / count / 1e3, "ms": took / count * 1e3}))
