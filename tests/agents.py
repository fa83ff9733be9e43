"""Other processes that use the store, and do what a test tells them, line by line."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from harness import ROOT

_AGENT = """
import os, resource, signal, sqlite3, sys
from pathlib import Path
from streamcli.core.events import Stop, Usage
from streamcli.store import database
from streamcli.store.answers import Answers
from streamcli.store.database import StoreError, open_database
folder = Path(sys.argv[1])
print("ready", flush=True)
for line in sys.stdin:
    try:
        line = line.strip()
        if line.startswith("= "):
            print(repr(eval(line[2:])), flush=True)
        else:
            exec(line)
            print(None, flush=True)
    except Exception as error:
        print(repr(f"{type(error).__name__}: {error}"), flush=True)
"""


class Agent:
    """A process with `folder`, in which `do` runs a statement and `ask` evaluates an expression."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _AGENT, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
            text=True,
            bufsize=1,
        )
        assert self._process.stdout.readline() == "ready\n"

    def tell(self, line: str) -> None:
        """Without waiting; `hear` gets the answer."""
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def hear(self) -> Any:
        return ast.literal_eval(self._process.stdout.readline())

    def do(self, statement: str) -> None:
        self.tell(statement)
        assert (failure := self.hear()) is None, failure

    def ask(self, expression: str) -> Any:
        self.tell("= " + expression)
        return self.hear()

    def fail(self, statement: str) -> str:
        """What the statement raises: "StoreError: the file ..."."""
        self.tell(statement)
        return self.hear()

    def kill(self) -> None:
        """As kill -9 does; returns when it is dead."""
        self._process.kill()
        self._process.communicate()
