"""Every golden case of tests/golden/: what goes in, what must come out.  golden_cases.py says how to write one."""

from __future__ import annotations

from pathlib import Path

import golden_cases
import pytest
from conftest import Run
from fake_server import FakeServer


@pytest.mark.parametrize("case", golden_cases.load(), ids=lambda case: case.id)
def test_golden(case: golden_cases.Case, run_warm: Run, server: FakeServer, tmp_path: Path) -> None:
    """The program does what the case says."""
    case.prepare(tmp_path, server)
    result = run_warm(
        *case.argv(server.url), stdin=case.stdin, env=case.env(server.url), timeout=case.timeout, cwd=tmp_path
    )
    case.check(result, server)
