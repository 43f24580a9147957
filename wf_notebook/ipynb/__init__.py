"""ipynb: a notebook read without a kernel: the line and the body of a `%%workflow` cell, and the workflow that it defines."""

from __future__ import annotations
