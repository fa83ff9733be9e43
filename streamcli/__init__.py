"""Pipe anything into Claude, stream the answer out, trust the exit status."""

__version__ = "0.1.0"
