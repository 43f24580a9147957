"""`python -m wf_notebook` is the command `wf`."""

from __future__ import annotations

from .cli import main

if __name__ == "__main__":
    main()
