"""Whether a value says anything: `password: authentication failure` is a remark, `token=null` tells a state."""

import itertools
import re

# A longer value is never a remark.
LONGEST_REMARK = 200

NUMBER = re.compile(rb"[+-]?[0-9][0-9.,:]*(?:ms|s|m|h|d|%|k|kb|mb|gb)?\Z")
NO_DIGIT = re.compile(rb"[^0-9]*\Z")
_WORDS = re.compile(rb"[A-Za-z][A-Za-z'-]*[.,:!?]?(?: [A-Za-z0-9'.,:!?-]+)*\Z")
_FOLLOWED_BY_PROSE = re.compile(rb"[.,;:!?]?[ \t]+(?![\"'{]?[\w.-]+[\"']?[ \t]?[=:]|[|\]})\\<-])[^\s]")
_STAND_IN = re.compile(
    rb"[*#.\-_?\xe2\x80\xa2\x97\x8f]+\Z|[xX]{3,}\Z"  # masked already
    # A template.
    rb"|\$\{[^}]*\}?\Z|\$[A-Z_][A-Z0-9_]*\Z|\$\(|%[A-Z_]{2,}%\Z|%[sdvqr]\Z|%\(\w+\)|%\{|#\{|\{\{|\{\w*\}\Z"
    rb"|<[^<>]*>\Z|\[[A-Za-z ]*\]\Z"
    rb"|(?:self|this|os|process|config|settings|args|kwargs|env|params|request|req|ctx|cfg|opts|options|secrets)[.\[]"
    rb"|(?:data|var|local|module)\.[a-z]|[A-Za-z_][\w.]*\([\w., ]*\)\Z"  # code, in a traceback
)
_ELSEWHERE = re.compile(
    rb"/(?:etc|var|run|home|usr|opt|tmp|root|mnt|srv|proc|dev|secrets?|Users|builds?|workspace|app|keys?)/"
    rb"|~/|\.{1,2}/|[A-Za-z]:\\\\?[A-Za-z]|file:|arn:aws|https?://[^\s@]*\Z"
)
_OTHER_FIELD = re.compile(rb"[A-Za-z_][\w.-]{0,40}=[^=\s]")  # nothing stands behind `password= user=bob`
_NUMBERED = re.compile(rb"[A-Za-z]?[a-z]{4,24}[0-9]\Z")  # token: 'identifier1'
_DATE = re.compile(rb"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ]|\Z)")
_SWITCH = re.compile(rb"--?[A-Za-z][\w-]*(?:=|\s|\Z)")
_HANDLE = re.compile(rb"0x[0-9A-Fa-f]{1,16}\Z")
_TOKEN_CHARACTERS = re.compile(rb"[\w.~+/=%:|!@#$^&*-]+\Z")
_MEANINGLESS = frozenset(
    b"""
    null none nil nul undefined nan true false yes no on off empty blank unset unknown missing required optional
    invalid valid incorrect wrong correct bad expired expires revoked rejected denied refused accepted failed failure
    failing error errors ok okay success successful changed updated reset set created deleted removed enabled disabled
    default hidden filtered redacted masked omitted sanitized scrubbed present absent mismatch mismatched matched match
    matches verified validated authenticated authentication authorization authorized unauthorized forbidden not is are
    was were for must should cannot could does has have with from and or the a an this that it too string str bytes
    text int integer number boolean bool object array secretstr basic bearer digest negotiate n/a tbd todo
    placeholder prompt stdin file vault expected unexpected attempt attempts to in as by be can will option flag
    argument
    """.split()
)


def is_password(text: bytes, at: int, start: int, end: int) -> bool:
    """Whether the value from `start` to `end`, which with its quotes begins at `at`, may be one: it is no remark."""
    value = text[start:end]
    if says_nothing(value) or (text[at - 2 : at] == b"= " and (_OTHER_FIELD.match(value) or _SWITCH.match(value))):
        return False
    if start > at or text[at - 1 : at] not in (b" ", b"\t", b":"):
        return True
    if value.isdigit():
        return len(value) > 3
    return not (_WORDS.match(value) and _FOLLOWED_BY_PROSE.match(text, end))


def is_token(text: bytes, at: int, start: int, end: int) -> bool:
    """The same for what a program made."""
    value = text[start:end]
    if len(value) < 6 or says_nothing(value) or not _TOKEN_CHARACTERS.match(value):
        return False
    if _HANDLE.match(value) or _DATE.match(value) or _NUMBERED.match(value):
        return False
    if value.isdigit():
        return True
    return not NUMBER.match(value) and not (NO_DIGIT.match(value) and _is_name(value))


def _is_name(value: bytes) -> bool:
    """Whether what has no digits is made of words."""
    return not (len(value) >= 20 and value.isalpha()) and not changes_case(value)


def changes_case(value: bytes) -> bool:
    """Whether it has letters only, and changes their case as often as what is random."""
    text = value.decode("latin-1")
    changes = sum(before.islower() != after.islower() for before, after in itertools.pairwise(text))
    return value.isalpha() and changes >= len(value) * 0.45


def says_nothing(value: bytes) -> bool:
    """Whether it is a remark, a mask, a template, or says where the secret is."""
    first, *rest = value[:LONGEST_REMARK].strip(b"()[]{}<>.,;:!?\"' \t").lower().split() or [b""]
    if first in _MEANINGLESS and (not rest or (_WORDS.match(value) and not _MEANINGLESS.isdisjoint(rest))):
        return True
    return bool(not first or _STAND_IN.match(value) or _ELSEWHERE.match(value))
