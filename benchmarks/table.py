"""What is measured, beside whom: the table of `make bench`."""

from __future__ import annotations

from . import cache, clusters, engine, postgres, programs, store, sweeps

#: What the programs of the cache's probes are made with.
GIVEN = ("ipython==9.18.1", "numpy==2.4.6", "pandas==3.1.1", "jinja2==3.1.6", "tenacity==9.2.1", "toolz==1.2.0")
#: What is installed in the environment of each peer; ours is the one that runs this.
PEERS = {
    "agno": ["agno==1.1.1", "sqlalchemy==2.1.9", "pydantic==2.14.3"],
    "langgraph": ["langgraph==1.2.22", "langgraph-checkpoint-sqlite==3.1.2", "pydantic==2.14.3", *GIVEN],
    "burr": ["burr==0.42.0"],
    "dbos": ["dbos==3.4.0"],
    "joblib": ["joblib==1.6.0", *GIVEN],
    "diskcache": ["diskcache==5.6.3", *GIVEN],
    "marimo": ["marimo==0.25.2", *GIVEN],
    "hamilton": ["apache-hamilton==1.90.0"],
    "prefect": ["prefect==3.9.1"],
    "llama-index": ["llama-index-workflows==2.26.1"],
}

MEASURES = (
    *engine.ROWS,
    *store.ROWS,
    *cache.ROWS,
    *programs.ROWS,
    *postgres.ROWS,
    *sweeps.ROWS,
    *clusters.ROWS,
)
