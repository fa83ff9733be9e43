"""The one place that imports `anthropic`: it takes more than a second, so callers do it while stdin is being read."""

import importlib
import logging
from typing import Any


def load() -> Any:
    """The SDK's module. Any, not its type: net/client.py asks little of it, and a later import may be a leaner one."""
    # Its warnings (a shadowed credential, a deprecated model) are for programmers; stderr is ours.
    logging.getLogger("anthropic").addHandler(logging.NullHandler())
    return importlib.import_module("anthropic")
