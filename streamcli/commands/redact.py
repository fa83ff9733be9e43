"""streamcli redact: standard input to standard output, secrets masked."""

import asyncio
import secrets

from streamcli.commands.runtime import Runtime
from streamcli.config import RedactSettings
from streamcli.core.redact import BUILT_IN, Redactor, summary
from streamcli.core.redact_stream import RedactStream
from streamcli.core.regexes import is_linear
from streamcli.core.rule_files import parse
from streamcli.edge.notes import Notes
from streamcli.edge.signals import DeathBySignal
from streamcli.errors import ConfigError, UsageError

KEY_BYTES = 32
# The default rules of gitleaks have 0.2 MB.
MAX_RULE_FILE_BYTES = 4_000_000


async def run(runtime: Runtime, settings: RedactSettings) -> int:
    """Masks line by line to the end of input. What was masked is told at the end, however it comes."""
    if runtime.stdin_is_terminal:
        raise UsageError("there is nothing to redact: standard input is a terminal", "streamcli redact <app.log")
    redactor = make_redactor(settings.redact_rules, settings.pii, runtime.notes)
    stream = RedactStream(redactor)
    now = asyncio.get_running_loop().time
    try:
        while chunk := await runtime.stdin.read():
            for masked in stream.feed(chunk, now()):
                await runtime.sink.write(masked)
        for masked in stream.flush():
            await runtime.sink.write(masked)
    finally:
        if not (isinstance(runtime.ending, DeathBySignal) and runtime.ending.is_broken_pipe()):
            tell(redactor, runtime.notes)
            if cut := stream.cut_lines:
                said = (
                    "1 line was too long to be masked, and is"
                    if cut == 1
                    else f"{cut} lines were too long to be masked, and are"
                )
                runtime.notes.notice(f"{said} cut")
    return 0


def make_redactor(rule_file: str | None, pii: bool, notes: Notes) -> Redactor:
    """One for this run, with a key of its own. Says once where it will be slow. Raises ConfigError."""
    if not is_linear():
        notes.notice("google-re2 is not there: redaction is slower")
    rules = BUILT_IN
    if rule_file is not None:
        parsed = parse(_content(rule_file), rule_file)
        for notice in parsed.notices:
            notes.notice(notice)
        rules = (*parsed.rules, *rules)
    return Redactor(secrets.token_bytes(KEY_BYTES), rules, pii=pii)


def tell(redactor: Redactor, notes: Notes) -> None:
    """Says what was masked, if anything was."""
    if line := summary(redactor.counts, redactor.nouns):
        notes.notice(line)


def _content(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            content = file.read(MAX_RULE_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no file has such a name"
        raise ConfigError(f"cannot read the rules {path}: {reason}") from error
    if len(content) > MAX_RULE_FILE_BYTES:
        raise ConfigError(f"the rules {path} are larger than {MAX_RULE_FILE_BYTES // 1_000_000} MB")
    return content
