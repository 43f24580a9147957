"""Milliseconds of `%load_ext wf_notebook` in a running IPython kernel, the first of its process: wall time, files compiled."""

from __future__ import annotations

import json
import os
import tempfile

from jupyter_client.manager import KernelManager

CODE = """
from time import perf_counter
began = perf_counter()
get_ipython().run_line_magic("load_ext", "wf_notebook")
took = (perf_counter() - began) * 1e3
"""

with tempfile.TemporaryDirectory() as home:
    os.environ |= {"IPYTHONDIR": home, "JUPYTER_RUNTIME_DIR": home}
    manager = KernelManager(kernel_name="python3", transport="ipc", ip=f"{home}/kernel")
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    reply = client.execute_interactive(CODE, user_expressions={"took": "took"}, timeout=60)
    client.stop_channels()
    manager.shutdown_kernel()
print(json.dumps(float(reply["content"]["user_expressions"]["took"]["data"]["text/plain"])))
