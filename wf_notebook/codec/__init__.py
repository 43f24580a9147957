"""codec: any value of session_state becomes a tree that JSON gives back as it was, and comes back from it as what it was.

Nothing is pickled. Reading runs nothing that a file names: see `classes`. The one table of types is in `table`.
"""

from __future__ import annotations

from .classes import trust
from .custom import register_codec
from .decoder import comes_back, decode, hashes
from .encoder import encode
from .kind import Blobs, Tree
from .stale import is_stale
from .unknown import Unknown

__all__ = ["Blobs", "Tree", "Unknown", "comes_back", "decode", "encode", "hashes", "is_stale", "register_codec", "trust"]
