"""Secrets in forms of their own: protocols, addresses without a scheme, links, tables, code, other languages."""

import re

import pytest

from streamcli.core.redact import Redactor

PLACEHOLDER = r"<[A-Z_]+:[0-9a-f]{6}>"


@pytest.mark.parametrize(
    "context",
    [
        *("dsn: app:{}@db.example.com:5432/shop", "connect root:{}@localhost", "broker admin:{}@mq1:5672 down"),
        *("password      = {}", "| password | {} |", "password\t{}", "password          {}", "password\u00a0:\u00a0{}"),
        *("password\uff1a{}", "> PASS {}", "redis: AUTH {}", "login attempt [root/{}] failed"),
        *("login attempt [b'root'/b'{}'] failed", "{password=>q({})}", 'Secret("{}")'),
        *('<entry key="password">{}</entry>', "http -a bob:{} GET x", "psexec \\\\h -u bob -p {} cmd"),
        *("kubectl create secret generic db --from-literal=value={}", "useradd -p {} bob", "mot de passe : {}"),
        *("contraseña: {}", "Passwort: {}", "пароль: {}", "Пароль: {}", "密码: {}", "パスワード={}", "hasło={}"),
        *("GET /reset/{}Ab3dE5fG7hJ9 200", "https://app.example.com/invite/{}Ab3dE5fG7hJ9"),
    ],
)
def test_the_secret_is_masked_and_nothing_else(context):
    out = Redactor(bytes(32)).text(context.replace("{}", "Zx81Secret77"))
    shown = context.replace("{}Ab3dE5fG7hJ9", "{}")
    assert re.sub(PLACEHOLDER, "{}", out) == shown
    assert Redactor(bytes(32)).text(out) == out


@pytest.mark.parametrize(
    "line",
    [
        *("sip:bob42@host:5060", "image:v1.2@sha256:9f86d0", "mailto:bob42@example.com", "PASS src/app2.test.js"),
        *("jest: PASS src/app2.test.js", "| password | email |", "password  is required", "auth: AUTH failed"),
        *("GET /reset/password-of-an-account 200", "GET /join/2031-05-04-meeting-room 200", "12:30:15 took 5@home:80"),
    ],
)
def test_what_looks_like_it_stays(line):
    assert Redactor(bytes(32)).text(line) == line
