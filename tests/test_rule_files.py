"""Rules of the user's: gitleaks' form, read and applied."""

import sys

import pytest

from streamcli.core.redact import BUILT_IN, Redactor
from streamcli.core.secrets.go_syntax import for_re
from streamcli.core.secrets.rule_files import parse, shannon
from streamcli.errors import ConfigError

KEY = bytes(32)
ACME = """
title = "ours"
[[rules]]
id = "acme-key"
description = "A key of Acme"
regex = '''\\b(acme_[a-z0-9]{8})\\b'''
keywords = ["ACME_"]
"""


@pytest.fixture(params=["re2", "re"])
def engine(request, monkeypatch):
    """Each test runs with and without google-re2."""
    if request.param == "re":
        monkeypatch.setitem(sys.modules, "re2", None)
    return request.param


def redacted(toml: str, line: str) -> str:
    return Redactor(KEY, parse(toml.encode(), "rules.toml").rules).text(line)


def test_a_rule_masks_its_first_group(engine):
    out = redacted(ACME, "using acme_12345678, acme_1")
    assert out.startswith("using <ACME_KEY:")
    assert out.endswith(">, acme_1")


def test_rules_come_beside_the_built_in_ones(engine):
    redactor = Redactor(KEY, (*parse(ACME.encode(), "rules.toml").rules, *BUILT_IN))
    out = redactor.text("password=hunter2 with acme_12345678")
    assert ("hunter2" in out, "acme_" in out, dict(redactor.counts)) == (False, False, {"PASSWORD": 1, "ACME_KEY": 1})
    assert redactor.nouns["ACME_KEY"] == "acme-key"


@pytest.mark.parametrize(
    ("more", "line", "expected"),
    [
        ("regex = '''a(b)(c+)'''\nsecretGroup = 2", "xabccc", "xab<R:>"),
        ("regex = '''a(b)?(c+)'''", "xaccc", "xa<R:>"),
        ("regex = '''ab+'''", "xabbbx", "x<R:>x"),
        ("regex = '''k=(\\w+)'''\nentropy = 3", "k=aaaaaaaa k=abcdefghij", "k=aaaaaaaa k=<R:>"),
        ("regex = '''k=(\\w+)'''\nkeywords = ['zzz']", "k=abc", "k=abc"),
        ("regex = '''(?i)KEY=(\\w+)'''", "key=abc", "key=<R:>"),
        ("regex = '''x(?i)y|z=(\\d+)'''", "Z=12", "Z=<R:>"),
        ("regex = '''k=([[:alnum:]]+)(?:\\s|\\z)'''", "k=a1", "k=<R:>"),
        ("regex = '''k\\s+(\\w+)'''", "k\nabc", "k\nabc"),
        ("regex = '''^k=(\\w+)$'''", "x\nk=abc\nx", "x\nk=<R:>\nx"),
        ("regex = '''k=(\\w+)'''\n[[rules.allowlists]]\nregexes = ['^ab']", "k=abc k=xyz", "k=abc k=<R:>"),
        (
            "regex = '''k=(\\w+)'''\n[rules.allowlist]\nstopwords = ['EXAMPLE']",
            "k=anexample k=xyz",
            "k=anexample k=<R:>",
        ),
        (
            "regex = '''k=(\\w+)'''\n[[rules.allowlists]]\nregexTarget = 'match'\nregexes = ['^k=a']",
            "k=abc k=xyz",
            "k=abc k=<R:>",
        ),
        (
            "regex = '''k=(\\w+)'''\n[[rules.allowlists]]\nregexTarget = 'line'\nregexes = ['test$']",
            "k=abc test\nk=abc",
            "k=abc test\nk=<R:>",
        ),
        (
            "regex = '''k=(\\w+)'''\n[[rules.allowlists]]\ncondition = 'AND'\nregexes = ['^a']\nstopwords = ['z']",
            "k=abc k=abz",
            "k=<R:> k=abz",
        ),
        (
            "regex = '''k=(\\w+)'''\n[[rules.allowlists]]\ncondition = 'AND'\nregexes = ['^a']\npaths = ['x']",
            "k=abc",
            "k=<R:>",
        ),
        ("regex = '''k=(\\w+)'''\n[[allowlists]]\ntargetRules = ['other']\nregexes = ['^a']", "k=abc", "k=<R:>"),
        ("regex = '''k=(\\w+)'''\n[[allowlists]]\ntargetRules = ['r']\nregexes = ['^a']", "k=abc", "k=abc"),
        ("regex = '''k=(\\w+)'''\n[allowlist]\nregexes = ['^a']", "k=abc", "k=abc"),
    ],
)
def test_what_a_rule_can_say(more, line, expected, engine):
    out = redacted(f"[[rules]]\nid = 'r'\n{more}\n", line)
    assert (
        "<R:>".join(part if not n else part[part.index(">") + 1 :] for n, part in enumerate(out.split("<R:")))
        == expected
    )


def test_a_rule_may_go_through_the_middle_of_a_character(engine):
    out = redacted("[[rules]]\nid = 'r'\nregex = '''k=(.)'''\n", "k=é!")
    assert out.startswith("k=<R:")
    assert out.endswith(">\ufffd!")


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("[[rules", "rules.toml is not TOML"),
        ("[[rules]]\nid='bad-one'\nregex='('", "rules.toml: rule bad-one: regex"),
        ("[[rules]]\nid='bad-one'\nregex='a(?=b)'", "rules.toml: rule bad-one: regex"),
        ("[[rules]]\nregex='a'\nsecretGroup=1", "rules.toml: rule number 1: secretGroup is 1, and regex has 0 groups"),
        ("[[rules]]\nid='x'\nregex=7", "rules.toml: rule x: regex is no string"),
        ("[[rules]]\nid='x'\nregex='a'\nentropy='high'", "rules.toml: rule x: entropy is no number"),
        ("[[rules]]\nid='x'\nregex='a'\nkeywords='a'", "rules.toml: rule x: keywords is no array of strings"),
        ("[[rules]]\nid='x'\nregex='a'\nallowlist=7", "rules.toml: rule x: allowlist is no table"),
        ("[allowlist]\nregexes=['(']", "rules.toml: allowlist: allowlist"),
        ("rules = 7", "rules.toml: rules is no array of tables"),
    ],
)
def test_what_makes_no_sense_is_an_error_that_names_the_rule(toml, message):
    with pytest.raises(ConfigError) as raised:
        parse(toml.encode(), "rules.toml")
    assert raised.value.message.startswith(message)
    assert raised.value.status == 78


def test_bytes_that_are_no_text_are_an_error():
    with pytest.raises(ConfigError, match="is not TOML"):
        parse(b"\xff", "rules.toml")


@pytest.mark.parametrize(
    ("toml", "notice"),
    [
        ("[[rules]]\nid='only-path'\npath='x'", "rules.toml: rule only-path has no regex, and is ignored"),
        ("[extend]\nuseDefault=true", "rules.toml: extend is ignored; these rules come beside the built-in ones"),
    ],
)
def test_what_cannot_apply_is_told(toml, notice):
    assert parse(toml.encode(), "rules.toml").notices == (notice,)


def test_without_google_re2_a_rule_that_re_does_not_take_is_left_out_with_a_notice(monkeypatch):
    monkeypatch.setitem(sys.modules, "re2", None)
    parsed = parse((ACME + "[[rules]]\nid='greek'\nregex='\\p{Greek}+'\n").encode(), "rules.toml")
    assert [rule.kind for rule in parsed.rules] == ["ACME_KEY"]
    assert parsed.notices[0].startswith("rules.toml: rule greek is ignored, as it needs google-re2")


@pytest.mark.parametrize(
    ("label", "kind"), [("acme-key", "ACME_KEY"), ("9lives", "RULE_9LIVES"), ("é", "RULE_"), ("a" * 99, "A" * 60)]
)
def test_a_rule_id_becomes_a_kind(label, kind):
    (rule,) = parse(f"[[rules]]\nid='{label}'\nregex='a'".encode(), "x").rules
    assert rule.kind == kind


@pytest.mark.parametrize(("value", "bits"), [(b"", 0), (b"aaaa", 0), (b"abab", 1), (b"abcd", 2)])
def test_entropy_is_in_bits_a_byte(value, bits):
    assert shannon(value) == pytest.approx(bits)


@pytest.mark.parametrize(
    ("go", "python"),
    [
        ("a(?i)b", "a(?i:b)"),
        ("(?i)a|b", "(?i:a)|(?i:b)"),
        ("(x(?i)a)b", "(x(?i:a))b"),
        ("(?i:a)[(?i)]", r"(?i:a)[(?i)]"),
        (r"[[:digit:]x]\z", r"[0-9x]\Z"),
        (r"[]a[]\x{41}", r"[\]a\[]\x41"),
        (r"\(?i\)\[", r"\(?i\)\["),
    ],
)
def test_go_syntax_for_re(go, python):
    assert for_re(go) == python
