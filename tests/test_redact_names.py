"""Names that no list has, elements of lists, values that replace others; and what looks like them and is none."""

import re

import pytest
from redact_samples import ALNUM, HEX, some

from streamcli.core.redact import Redactor

PLACEHOLDER = r"<[A-Z_]+:[0-9a-f]{6}>"
MADE = (some(ALNUM, 20, 1), some(ALNUM, 36, 2), some(HEX, 32, 3), some(ALNUM + "+/", 43, 4) + "=")


def redacted(line: str) -> str:
    return Redactor(bytes(32)).text(line)


def assert_only_the_value_goes(context: str, value: str) -> None:
    before, after = (re.escape(part) for part in context.split("{}"))
    out = redacted(context.replace("{}", value))
    assert re.fullmatch(before + PLACEHOLDER + after, out), out
    assert redacted(out) == out


@pytest.mark.parametrize("value", MADE)
@pytest.mark.parametrize(
    "context",
    [
        *("FERNET_KEY={}", "gateway_key: {}", "tls.key: {}", 'relayKey="{}"', "{'push-key': '{}'}", "ROUTINGKEY={}"),
        *("GH_PAT={}", "export JIRA_PAT='{}'", "REDIS_AUTH={}", "registryAuth: '{}'", "SIGNING_SALT={}"),
        *("otp_seed = {}", "ERLANG_COOKIE={}", "SPLUNK_LICENSE={}", "APP_WEBHOOK={}", "MY_BEARER={}", "APP_PASSKEY={}"),
        *(
            "tool --auth {} run",
            "erl -setcookie {} -sname a",
            '["--pat", "{}"]',
            "tool --user-key {}",
            "x --rpc-auth {}",
        ),
        *("Unseal Key 1: {}", ".dockerconfigjson: {}", "partner_creds={}"),
    ],
)
def test_a_value_that_looks_made_is_masked_by_the_end_of_its_name(context, value):
    assert_only_the_value_goes(context, value)


@pytest.mark.parametrize("value", ["hunter2", "Tr0ub4dor&3"])
@pytest.mark.parametrize(
    "context",
    [
        *("psw={}", "pswd: {}", "PWORD={}", "passwrd={}", "pwrd: {}", "passcode: {}", "STOREPASS={}", "keypass={}"),
        *("DB_CREDS=app:{}", "BASIC_AUTH=admin:{}", "proxy_credentials: 'bob:{}'"),
        *("keytool -storepass {}", "tool --passcode {}", '[("password", "{}")]', "[(b'db_passwd', b'{}'), 1]"),
    ],
)
def test_more_names_of_passwords(context, value):
    assert_only_the_value_goes(context, value)


@pytest.mark.parametrize("value", MADE)
@pytest.mark.parametrize(
    "context",
    [
        *("[(b'x-api-key', b'{}'), (b'accept', b'*/*')]", '["X-Api-Key", "{}"]', "('x-auth-token', '{}')"),
        *('("authorization", "{}")', "('Authorization', 'Bearer {}')", "[['Authorization', 'SSWS {}']]"),
        *("Authorization: SSWS {}", '"authorization":"Whatever {}"', "X-Auth: {}", "X-Hub-Signature-256: sha256={}"),
    ],
)
def test_headers_of_any_scheme_and_as_elements_of_a_list(context, value):
    assert_only_the_value_goes(context, value)


def test_of_a_digest_the_answer_is_masked():
    assert_only_the_value_goes('Authorization: Digest username="bob", uri="/", response="{}", qop=auth', MADE[2])


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "-Password (ConvertTo-SecureString 'a1b2' -AsPlainText)",
            "-Password (ConvertTo-SecureString '<>' -AsPlainText)",
        ),
        ('  ~ password = "old1" -> "new2"', '  ~ password = "<>" -> "<>"'),
        ('  ~ password = "old1" -> (known after apply)', '  ~ password = "<>" -> (known after apply)'),
        ('  ~ password = null -> "new2"', '  ~ password = null -> "<>"'),
        ("password: hunter2 => hunter3", "password: <> => <>"),
        ("password changed from old12 to new34", "password changed from <> to <>"),
        ("Password for bob was changed from 'olden' to 'newer'", "Password for bob was changed from '<>' to '<>'"),
        ("{'password' => 'hunter2'}", "{'password' => '<>'}"),
        ("password=(hunter2)x", "password=<>"),
    ],
)
def test_a_value_and_the_one_that_replaces_it(line, expected):
    out = redacted(line)
    assert re.sub(PLACEHOLDER, "<>", out) == expected
    assert redacted(out) == out


@pytest.mark.parametrize(
    "line",
    [
        *("cache key=items:42 miss", "partition key=2031-02-03T00:00 offset=99", "primary_key=1234567 foreign_key=99"),
        *(
            "cache_key=3f786850e387550fdab836ed7e6dc881de23001b",
            "public_key=" + MADE[1],
            "key=images/2031/02/logo9.png",
        ),
        *("routing key=orders.created.v2.eu-west-1", "idempotency-key: 5f1c0e3a-1111-4222-8333-944455556666"),
        *("trace_key=5f1c0e3a-1111-4222-8333-944455556666", "sort key=user_profile_12345_settings_v2", "monkey=12345"),
        *("auth=pam_unix_session_0001", "path=/opt/app2/lib64/x", "author=JaneDoe2031Smith", "compat=version1.2.3-rc4"),
        *("password changed from the web to the app", 'fields: ["password", "email"]', '("password", "is required")'),
        *("password: (must be set)", "authorization: request 4242 denied", "response=200 in 4 ms", "x-auth: none"),
        *("mongod --port 27017 -p 4", "zip -P 4 files", "net user bob /add", "token: 'identifier1'"),
        *("Cookie: accepted=true", "signature=v1 valid", "http://user:80@host", "mysql --password= -h db"),
        *("tool --auth plain", "x --key config.yaml", "--license Apache-2.0-or-later-2"),
    ],
)
def test_what_looks_like_it_stays(line):
    assert redacted(line) == line
