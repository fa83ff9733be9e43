"""The options of analyze alone. What they mean is in README.md."""

from enum import StrEnum
from typing import Annotated

from streamcli.core.models import EMBEDDED_LIMITS, SERVER_LIMITS
from streamcli.options import above_zero, no_empty_name, option, pattern, seconds


class OnOverload(StrEnum):
    """--on-overload"""

    condense = "condense"
    block = "block"
    drop_oldest = "drop-oldest"
    sample = "sample"
    fail = "fail"


class OnInterrupt(StrEnum):
    """--on-interrupt"""

    stop = "stop"
    flush = "flush"


class FailOn(StrEnum):
    """--fail-on"""

    info = "INFO"
    warning = "WARNING"
    error = "ERROR"
    critical = "CRITICAL"


Lines = Annotated[int, option("--lines", min=1, metavar="N", help="A window has so many lines,")]
Every = Annotated[float, seconds("--every", "or closes so long after its first line,")]
Idle = Annotated[float, seconds("--idle", "or after such a gap without a line; 0 is off.")]
WindowTokens = Annotated[
    int | None,
    option(
        "--window-tokens",
        min=100,
        metavar="N",
        help="Size of a window at most, about; what is over it is condensed.",
        show_default=f"{SERVER_LIMITS.window_tokens}; local {EMBEDDED_LIMITS.window_tokens}",
    ),
]
RecordStart = Annotated[
    str | None,
    option(
        "--record-start",
        callback=pattern,
        metavar="REGEX",
        help="A record begins at each line that has this, and goes on with the others.",
        show_default="stack traces and indented lines go on",
    ),
]
Overloaded = Annotated[
    OnOverload,
    option("--on-overload", help="What becomes of lines that come faster than windows go out."),
]
WindowJobs = Annotated[int, option("--jobs", min=1, max=100, metavar="N", help="So many windows at once.")]
RequestsPerMinute = Annotated[
    int,
    option(
        "--max-requests-per-minute",
        min=0,
        metavar="N",
        help="Windows a minute at most, each one a paid request; 0 is no limit.",
    ),
]
BudgetPerHour = Annotated[
    float | None,
    option(
        "--budget-per-hour",
        callback=above_zero,
        metavar="USD",
        help="Windows wait, and grow, so that no more is spent an hour.",
        show_default="no limit",
    ),
]
Interrupted = Annotated[
    OnInterrupt,
    option("--on-interrupt", help="At ^C the lines that wait are only counted, or sent in a last request."),
]
FailOnLevel = Annotated[
    FailOn | None,
    option(
        "--fail-on",
        case_sensitive=False,
        help="Exit with 3 if there was a finding so severe, or more.",
        show_default=False,
    ),
]
SkipOk = Annotated[bool, option("--skip-ok", help="Print nothing for a window in which all is well.")]
Context = Annotated[
    int,
    option(
        "--context",
        min=0,
        max=100,
        metavar="N",
        help="Tell the model what the last N windows found: the same again is counted, not repeated.",
    ),
]
Follow = Annotated[
    list[str] | None,
    option(
        "--follow",
        from_environment=False,
        metavar="FILE",
        help="Read FILE as it grows, and as it is rotated; also several. Begins with its last 10 lines.",
        show_default=False,
    ),
]
FromStart = Annotated[
    bool, option("--from-start", from_environment=False, help="With --follow: from its first line on.")
]
ReportFile = Annotated[
    str | None,
    option(
        "--report",
        from_environment=False,
        callback=no_empty_name,
        metavar="FILE.html",
        help="A page of what was found, written each minute and at the end.",
        show_default=False,
    ),
]
