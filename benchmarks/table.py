"""What is measured, beside whom: the table of `make bench`."""

from __future__ import annotations

from . import cache, engine, store

#: What is installed in the environment of each peer; ours is the one that runs this.
PEERS = {
    "agno": ["agno==1.1.1", "sqlalchemy==2.1.9", "pydantic==2.14.3"],
    "langgraph": ["langgraph==1.2.22", "langgraph-checkpoint-sqlite==3.1.2", "pydantic==2.14.3"],
    "burr": ["burr==0.42.0"],
    "dbos": ["dbos==3.4.0"],
}

MEASURES = (*engine.ROWS, *store.ROWS, *cache.ROWS)
