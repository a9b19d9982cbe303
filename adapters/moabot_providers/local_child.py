"""The child process that holds the local model; started by local.py, ends with its parent.

It imports nothing of moabot, so that it starts at once. Line one of stdin is a JSON
object with what to serve; it answers with one line on stdout, {"url": …} or {"error": …}. The end
of stdin means that the parent closed it or died, by whatever signal: then this process ends too.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import threading
from importlib import import_module
from pathlib import Path
from typing import TypedDict


class Wanted(TypedDict):
    """What to serve: paths, the sha256 of `gguf` or "", and how."""

    engine: str
    gguf: str
    sha256: str
    name: str
    key: str
    threads: int
    slots: int
    context: int


def main() -> None:
    """Serve until the parent is gone."""
    wanted: Wanted = json.loads(sys.stdin.readline())
    parent = threading.Thread(target=end_with_parent)
    parent.start()  # before loading: a large model loads for a minute, and the parent may die in it
    try:
        said = {"url": serve(wanted)}
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        said = {"error": str(error)}
    print(json.dumps(said), flush=True)  # noqa: T201 - the protocol


def end_with_parent() -> None:
    """Wait for the end of stdin, then end without asking the engine, which may be at work."""
    sys.stdin.read()
    os._exit(0)


SERVERS: list[object] = []
"""Keeps the server alive: the engine stops when the object is dropped."""


def serve(wanted: Wanted) -> str:
    """Load the model, listen on a free port of the loopback, and return the address."""
    check(Path(wanted["gguf"]), wanted["sha256"])
    sys.path.insert(0, wanted["engine"])
    engine = import_module("xllamacpp")
    params = engine.CommonParams()
    params.model.path = wanted["gguf"]
    params.model_alias = {wanted["name"]}
    params.api_keys = [wanted["key"]]  # every page in a browser here may call a port without a key
    params.port = 0
    params.n_parallel = wanted["slots"]
    params.n_ctx = wanted["context"] * wanted["slots"]
    params.cache_ram_mib = 0  # the default keeps up to 8 GiB of old prompts
    params.verbosity = -1
    params.ui = False
    if wanted["threads"]:
        params.cpuparams.n_threads = wanted["threads"]
        params.cpuparams_batch.n_threads = wanted["threads"]
    server = engine.Server(params)
    SERVERS.append(server)
    return str(server.listening_address)


def check(gguf: Path, sha256: str) -> None:
    """Refuse a file that is not what it was when it was fetched (0.3 s for 98 MB)."""
    with gguf.open("rb") as file:
        if sha256 and hashlib.file_digest(file, "sha256").hexdigest() != sha256:
            raise ValueError(f"{gguf} has another sha256 than {sha256}")


if __name__ == "__main__":
    main()
