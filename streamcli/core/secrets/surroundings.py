"""The rules for what is secret by its surroundings: names, headers, commands, addresses.

Written for logs. What is secret by its own form, such as a key that begins with AKIA, is in tokens.py; what is
an argument of a program, in commands.py.
"""

from streamcli.core.secrets import values
from streamcli.core.secrets.rules import Rule

# Between a name and its value: what closes quotes or brackets around the name, a separator, what opens a list.
_CLOSED = rb"(?:\\{0,7}[\"'`]|&quot;|%22|\\u0022)?\]?"
IS = (
    _CLOSED
    + rb"\??[ \t\xc2\xa0]*(?:=>|:=|->|==?|::?|%3[AaDd]|\\u003d|\xef\xbc[\x9a\x9d])[ \t\xc2\xa0]*"
    + rb"(?:string\([0-9]+\)[ \t]|(?:str|[Ss]tring|bytes|SecretStr)[ \t]*=[ \t]*)?\[?"
)
PASSWORD = (
    rb"pass[_-]?word|passwd|pass[_-]?phrase|passwort|kennwort|mot[ _-]?de[ _-]?passe|contrase(?:n|\xc3\xb1|\xf1)a|senha"
    rb"|sshpass|(?:\b|_)psk|mysql[_-]?pwd|pgpass|user[_-]?pw|bindpw|rootpw|bind[_-]?credentials?|mnemonic|seed[_-]?phrase"
    rb"|recovery[_-]?phrase|pass[_-]?code|pswd|(?:\b|_)psw|pword|passwrd|(?:\b|_)pwrd|(?:store|key|user)[_-]?pass|wachtwoord"
    rb"|\b(?:heslo|haslo|has\xc5\x82o|parola|salasana|l\xc3\xb6senord|adgangskode|\xc5\x9fifre)"
    # In Russian, Chinese, Japanese and Korean.
    rb"|\xd0[\x9f\xbf]\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c|\xe5\xaf\x86(?:\xe7\xa0\x81|\xe7\xa2\xbc)"
    rb"|\xe3\x83\x91\xe3\x82\xb9\xe3\x83\xaf\xe3\x83\xbc\xe3\x83\x89|\xeb\xb9\x84\xeb\xb0\x80\xeb\xb2\x88\xed\x98\xb8"
)
PASSWORD_KEYWORDS = (
    *(b"pass", b"kennwort", b"contrase", b"senha", b"psk", b"pwd", b"_pw", b"userpw", b"user-pw", b"bindpw", b"rootpw"),
    *(b"credential", b"mnemonic", b"phrase", b"psw", b"pword", b"pwrd"),
    *(b"wachtwoord", b"heslo", b"haslo", b"has\xc5", b"parola", b"salasana", b"senord", b"adgangskode", b"ifre"),
    *(b"\xd1\x80\xd0\xbe", b"\xe5\xaf\x86", b"\xe3\x83\x91", b"\xeb\xb9\x84"),
)
_SECRET = rb"client[_-]?secret|secret"
_TOKEN = (
    rb"token|jwt|credentials?|csrf|xsrf|samlresponse|samlrequest|assertion|code[_-]verifier|authorization[_-]?code"
    rb"|x-amz-signature|signature|\bsig\b|\bhmac"
)
_TOKEN_KEYWORDS = (
    *(b"token", b"jwt", b"credential", b"csrf", b"xsrf", b"saml", b"assertion", b"verifier", b"authorization"),
    *(b"refresh", b"signature", b"sig", b"hmac"),
)
KEY = (
    rb"(?:api|access|secret|private|pre-?shared|encrypt(?:ion)?|signing|sign|master|account|shared|app|application|consumer|auth|ssh"
    rb"|deploy|licen[cs]e|storage|webhook|session|hmac|aes|rsa|jwt|crypto|subscription|functions?|client|admin"
    rb"|integration|ingest|service|write|vapid|kms|cipher|maps?|gemini|openai|anthropic|stripe|sendgrid|mailgun|twilio"
    rb"|datadog|dd|azure|aws|google|gcp)[_. -]?key"
)
# What a name may have behind it and still be one: not password_policy, token_type, secretName.
_ENDINGS = (
    rb"hash|value|val|text|plain|new|old|confirm(?:ation)?|current|repeat|digest|data|string|str|base64|b64|base|key"
    rb"|raw|prod(?:uction)?|staging|dev|live|test|primary|secondary|[0-9]{1,2}"
)
SUFFIX = rb"(?:[_-]?(?:" + _ENDINGS + rb"))?"
_SECRET_SUFFIX = rb"(?:[_-]?(?:id|access[_-]?key|" + _ENDINGS + rb"))?"

_SESSION = (
    rb"session[_-]?id|session[_-]?token|sess[_-]?id|phpsessid|jsessionid|aspsessionid[a-z]{0,12}|asp\.net_sessionid"
    rb"|connect\.sid|\.aspxauth|\.aspnetcore\.[\w.]{1,40}|(?:\b|_)sid|(?:\b|_)session"
)
_UNKNOWN_SCHEMES = (
    rb"(?:token|api-?key|negotiate|ntlm|hawk|bot|key|jwt|oauth|aws4-hmac-sha256|sso-key|splunk|genie-?key)"
)


def _named(kind: str, noun: str, names: bytes, suffix: bytes, find: values.Finder, keywords: tuple[bytes, ...]) -> Rule:
    return Rule(kind, noun, rb"(?i:(?:" + names + rb")" + suffix + IS + rb")", keywords, find)


def _paired(kind: str, noun: str, names: bytes, find: values.Finder, keywords: tuple[bytes, ...]) -> Rule:
    """The name is a value too: "name": "DB_PASSWORD", "value": "..."."""
    between = rb"\\{0,7}[\"'][ \t]*,?[ \t]*\\{0,7}[\"']?value\\{0,7}[\"']?[ \t]*[:=][ \t]*"
    return Rule(kind, noun, rb"(?i:(?:" + names + rb")" + SUFFIX + between + rb")", keywords, find)


def _element(kind: str, noun: str, names: bytes, keywords: tuple[bytes, ...]) -> Rule:
    """Of XML, escaped or not."""
    tag = rb"(?:<|&lt;)[\w:.-]{0,40}(?:" + names + rb")(?:[ \t][^<>\n]{0,100})?(?:>|&gt;)(?:<!\[CDATA\[)?"
    return Rule(kind, noun, rb"(?i:" + tag + rb")", keywords, values.element)


def _switch(kind: str, noun: str, names: bytes, find: values.Finder, keywords: tuple[bytes, ...]) -> Rule:
    """An option with its value behind a space, or as the next element of a list."""
    option = rb"(?:^|[\s\"'(=])--?(?:\w{1,20}-){0,4}(?:" + names + rb")"
    return Rule(kind, noun, rb"(?i:" + option + rb"(?:[ \t]+|[\"'],[ \t]*))", keywords, find)


def _told(names: bytes, between: bytes, find: values.Finder) -> Rule:
    kind, noun = ("PASSWORD", "password") if find in (values.told, values.changed) else ("SECRET", "secret")
    keywords = (b"pass", b"secret", b"token", b"key")
    return Rule(kind, noun, rb"(?i:\b(?:" + names + rb")[ \t]+" + between + rb")", keywords, find)


NAMES = (
    _named("PASSWORD", "password", PASSWORD, SUFFIX, values.password, PASSWORD_KEYWORDS),
    _named("SECRET", "secret", _SECRET, _SECRET_SUFFIX, values.secret, (b"secret",)),
    _named("API_KEY", "API key", KEY, SUFFIX, values.key, (b"key",)),
    _named("TOKEN", "token", _TOKEN, SUFFIX, values.token, _TOKEN_KEYWORDS),
    _named("SESSION", "session id", _SESSION, b"", values.session, (b"sess", b"sid", b"aspx", b"aspnet")),
    Rule("PASSWORD", "password", rb"(?i:(?:\b|_|[0-9])(?:pass|pwd|pw))" + IS, (b"pass", b"pw"), values.bare_pass),
    Rule("PASSWORD", "password", rb"[a-z](?:Pass|Pwd)" + IS, (b"pass", b"pwd"), values.bare_pass),
    _paired("PASSWORD", "password", PASSWORD, values.password, PASSWORD_KEYWORDS),
    _paired("SECRET", "secret", _SECRET + rb"|" + KEY + rb"|token", values.password, (b"secret", b"key", b"token")),
    _element("PASSWORD", "password", PASSWORD + rb"|pass|pwd", PASSWORD_KEYWORDS),
    _element("SECRET", "secret", rb"secret|" + KEY + rb"|token", (b"secret", b"key", b"token")),
    _switch("PASSWORD", "password", PASSWORD + rb"|\w{0,10}pass|pwd|pw", values.argument, (*PASSWORD_KEYWORDS, b"pw")),
    _switch("SECRET", "secret", _SECRET + rb"|" + KEY + rb"|key|token", values.token, (b"secret", b"key", b"token")),
    Rule(
        "CODE",
        "one-time code",
        rb"(?i:(?:\botp|\bpin|passcode|pin[_-]?code|\b[ct]vv2?|\bcvc2?|(?:verification|security|mfa|2fa|login|sms"
        rb"|one[_ -]?time)[_ -]?(?:code|pin|pass(?:word)?))(?:[ \t]+is[ \t]*:?[ \t]+|" + IS + rb"))",
        (b"otp", b"code", b"vv", b"cvc", b"pin", b"pass"),
        values.one_time_code,
    ),
    # The private numbers of a JSON web key.
    Rule("PRIVATE_KEY", "private key", rb"\\?\"(?:d|dp|dq|qi)\\?\"[ \t]*:[ \t]*\\?\"([\w-]{22,})", (b'"d', b'"qi')),
)

# What people and programs say in sentences.
SENTENCES = (
    _told(
        rb"pass[_-]?word|passwd|passphrase",
        rb"(?:is|was|set to|changed to|reset to|now|will be)[ \t]*:?[ \t]+",
        values.told,
    ),
    _told(
        rb"pass[_-]?word|passwd|passphrase|secret|token|(?:api|access|secret)[ _-]?key",
        rb"(?:(?:for|of)[ \t]+[^\s:=]{1,60}[ \t]+)?(?:(?:was|has been|is)[ \t]+)?"
        rb"(?:changed|updated|reset|rotated)[ \t]+"
        rb"(?:(?:for|of)[ \t]+[^\s:=]{1,60}[ \t]+)?from:?[ \t]+",
        values.changed,
    ),
    _told(
        rb"pass[_-]?word|passwd|passphrase",
        rb"(?:for|of)[ \t]+(?:user[ \t]+)?[^\s:=]{1,60}[ \t]*(?:is|:|=|->)[ \t]*",
        values.told,
    ),
    _told(
        rb"(?:with|using|wrong|invalid|incorrect|bad|new|old|tried|trying|temporary|default|initial)[ \t]+"
        rb"(?:the[ \t]+)?(?:pass[_-]?word|passwd|passphrase)",
        b"",
        values.told,
    ),
    _told(rb"(?:password|secret)[ \t]+[0-9]", b"", values.told),  # of routers: password 7 0822455D0A16
    _told(
        rb"secret|token|(?:api|access|secret)[ _-]?key",
        rb"(?:is|was|set to|changed to|now)[ \t]*:?[ \t]+",
        values.token,
    ),
    _told(
        rb"secret|token|(?:api|access|secret)[ _-]?key|pass[_-]?word",
        rb"(?:provided|supplied|received|given|used|sent|found|value)[ \t]*(?:is|was)?[ \t]*[:=][ \t]*",
        values.token,
    ),
    _told(
        rb"(?:(?:api|access|auth|secret|bearer|refresh|private)[ _-]?)?token"
        rb"|(?:api|access|auth|secret|private)[ _-]?key",
        b"",
        values.passing,
    ),
)

HEADERS = (
    Rule(
        "BASIC",
        "HTTP password",
        rb"(?i:authorization" + IS + rb"\\{0,7}[\"']?basic(?:[ \t]+|%20|\+))",
        (b"authorization",),
        values.credential,
    ),
    Rule(
        "BEARER",
        "bearer token",
        rb"(?i:authorization" + IS + rb"\\{0,7}[\"']?(?:bearer|" + _UNKNOWN_SCHEMES + rb")(?:[ \t]+|%20|\+|=))",
        (b"authorization",),
        values.credential,
    ),
    Rule(
        "TOKEN",
        "token",
        rb"(?i:authorization" + IS + rb"\\{0,7}[\"']?[a-z][\w-]{1,30}(?:[ \t]+|%20|\+))",
        (b"authorization",),
        values.passing,
    ),
    Rule("TOKEN", "token", rb"(?i:authorization" + IS + rb")", (b"authorization",), values.token),
    # Of Digest, which has much else between the name of the header and this.
    Rule("TOKEN", "token", rb"\bresponse=\\{0,7}[\"']?([0-9a-f]{32,128})\b", (b"response=",)),
    Rule(
        "TOKEN",
        "token",
        rb"(?i:signature(?:[_-]?(?:sha)?(?:1|256|512|v[0-9]))?"
        + IS
        + rb"[\"']?(?:sha(?:1|256|512)|v[0-9])=)([\w+/=-]{16,})",
        (b"signature",),
    ),
    Rule("TOKEN", "token", rb"(?i:\bx-auth" + IS + rb")", (b"x-auth",), values.token),
    Rule("BASIC", "HTTP password", rb"\b[Bb]asic(?:[ \t]+|%20)", (b"basic",), values.basic),
    Rule("BEARER", "bearer token", rb"(?i:\bbearer(?:[ \t]+|%20|\+|,[ \t]*))", (b"bearer",), values.session),
    Rule("COOKIE", "cookie", rb"(?i:\b(?:set-)?cookie2?s?" + IS + rb")", (b"cookie",), values.cookies),
    Rule("BASIC", "HTTP password", rb"\"_?auth\\?\"[ \t]*:[ \t]*\\?\"([A-Za-z0-9+/]{8,}={0,2})", (b"auth",)),
    Rule("TOKEN", "token", rb"(?i::_auth[ \t]*=[ \t]*\"?([\w+/=-]{8,}))", (b"_auth",)),
    Rule("TOKEN", "token", rb"[?&](?:code|key|hmac|ticket)=([\w.~%+/-]{20,})", (b"=",)),
)

BY_CONTEXT = (*HEADERS, *NAMES, *SENTENCES)
