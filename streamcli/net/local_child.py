"""The embedded model's process: llama.cpp's HTTP server on a free loopback port, until stdin closes.

Run by path, isolated (`python -I local_child.py PACKAGES MODEL`), so that neither the user's directory nor
PYTHONPATH can lend it a module; PACKAGES is the directory where the parent found xllamacpp. Imports nothing of
streamcli. The key that clients must show comes in the environment, where other users cannot read it.

stdout gets one line, {"url": "http://127.0.0.1:PORT"}, once the model is loaded, then ends. stdin never has
anything to read: its end means that the parent is gone, and so is this process, at once.
"""

import importlib
import json
import os
import select
import signal
import sys
from typing import Any

KEY_VARIABLE = "STREAMCLI_LOCAL_KEY"
CONTEXT = 8192  # tokens; the models' own maximum (32,768) costs 996 MB instead of 718
BATCH = 256  # tokens; with the default of 2,048 a closed connection is noticed after up to 51 s, not 1.5
PING_INTERVAL = 1  # seconds between two comments on a silent stream


def main() -> None:
    packages, model = sys.argv[1:]
    key = os.environ.pop(KEY_VARIABLE)
    die_with_parent()
    answer = os.dup(1)
    os.dup2(2, 1)  # whatever the libraries print is no answer
    if packages not in sys.path:
        sys.path.append(packages)  # last: it may hold anything, and must not stand before the standard library
    try:
        server = start_server(model, key)
    except Exception as error:
        sys.exit(str(error) or type(error).__name__)
    os.write(answer, json.dumps({"url": server.listening_address}).encode() + b"\n")
    os.close(answer)
    silence()
    while os.read(0, 4096):
        pass
    os._exit(0)  # not sys.exit: deleting the server may hang


def start_server(model: str, key: str) -> Any:
    """The running server; it must be kept: deleting it hung in 11 of 25 runs."""
    llama = importlib.import_module("xllamacpp")  # has no types
    settings = llama.CommonParams()
    settings.model.path = model
    settings.model_alias = {"local"}
    settings.hostnames = ["127.0.0.1"]
    settings.port = 0
    settings.api_keys = [key]
    settings.n_ctx = CONTEXT
    settings.n_parallel = 1
    settings.n_batch = settings.n_ubatch = BATCH
    settings.sse_ping_interval = PING_INTERVAL
    settings.cache_ram_mib = 0
    settings.verbosity = 1  # errors: the exception says nothing about why a model cannot be loaded
    settings.ui = False
    return llama.Server(settings)


def die_with_parent() -> None:
    """Leave a small process behind that kills this one when stdin ends.

    The server's constructor holds the interpreter's lock while the model is loaded, which may take many seconds
    from a slow disk: neither a thread nor a signal handler would run. A forked process works on every Unix.
    """
    server = os.getpid()
    server_ended, kept_open = os.pipe()  # we keep the second end till we die, and never write
    if os.fork():
        os.close(server_ended)
        return
    os.close(kept_open)
    silence()  # the parent waits for the end of both
    select.select([0, server_ended], [], [])
    if os.getppid() == server:
        os.kill(server, signal.SIGKILL)
    os._exit(0)


def silence() -> None:
    """Point stdout and stderr at nothing: nobody reads them any more."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    os.close(nothing)


if __name__ == "__main__":
    main()
