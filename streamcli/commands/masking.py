"""The redactor of a run: with the user's rules, and a key of its own."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from streamcli.commands.runtime import Runtime
from streamcli.edge.notes import Notes
from streamcli.edge.signals import DeathBySignal
from streamcli.errors import ConfigError

if TYPE_CHECKING:
    from streamcli.core.redact import Redactor

KEY_BYTES = 32
# The default rules of gitleaks have 0.2 MB.
MAX_RULE_FILE_BYTES = 4_000_000


@contextmanager
def telling_redactor(runtime: Runtime, rule_file: str | None, *, pii: bool = False) -> "Iterator[Redactor]":
    """What it masked is told at the end, however that comes, but where nobody reads any more. Raises ConfigError."""
    redactor = make_redactor(rule_file, pii, runtime.notes)
    try:
        yield redactor
    finally:
        if not (isinstance(runtime.ending, DeathBySignal) and runtime.ending.is_broken_pipe()):
            tell(redactor, runtime.notes)


def make_redactor(rule_file: str | None, pii: bool, notes: Notes) -> "Redactor":
    """One for this run, with a key of its own. Says once where it will be slow. Raises ConfigError."""
    # A run that masks nothing does not load the rules.
    from streamcli.core.redact import BUILT_IN, Redactor
    from streamcli.core.secrets.regexes import is_linear
    from streamcli.core.secrets.rule_files import parse

    if not is_linear():
        notes.notice("google-re2 is not there: redaction is slower")
    rules = BUILT_IN
    if rule_file is not None:
        parsed = parse(_content(rule_file), rule_file)
        for notice in parsed.notices:
            notes.notice(notice)
        rules = (*parsed.rules, *rules)
    return Redactor(secrets.token_bytes(KEY_BYTES), rules, pii=pii)


def tell(redactor: "Redactor", notes: Notes) -> None:
    """Says what was masked, if anything was."""
    from streamcli.core.redact import summary

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
