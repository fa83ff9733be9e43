"""The rules for what is secret by its surroundings: names, headers, commands, addresses.

Written for logs. What is secret by its own form, such as a key that begins with AKIA, is in secret_tokens.py; what is
an argument of a program, in secret_commands.py.
"""

from streamcli.core import secret_values as values
from streamcli.core.rules import Rule

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
_KEY = (
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


def _is_no_port(text: bytes, match: values.Span, value: values.Span) -> bool:
    """Not of two digits: http://user:80@host."""
    return value[1] - value[0] > 2 or not text[value[0] : value[1]].isdigit()


NAMES = (
    _named("PASSWORD", "password", PASSWORD, SUFFIX, values.password, PASSWORD_KEYWORDS),
    _named("SECRET", "secret", _SECRET, _SECRET_SUFFIX, values.secret, (b"secret",)),
    _named("API_KEY", "API key", _KEY, SUFFIX, values.key, (b"key",)),
    _named("TOKEN", "token", _TOKEN, SUFFIX, values.token, _TOKEN_KEYWORDS),
    _named("SESSION", "session id", _SESSION, b"", values.session, (b"sess", b"sid", b"aspx", b"aspnet")),
    Rule("PASSWORD", "password", rb"(?i:(?:\b|_|[0-9])(?:pass|pwd|pw))" + IS, (b"pass", b"pw"), values.bare_pass),
    Rule("PASSWORD", "password", rb"[a-z](?:Pass|Pwd)" + IS, (b"pass", b"pwd"), values.bare_pass),
    _paired("PASSWORD", "password", PASSWORD, values.password, PASSWORD_KEYWORDS),
    _paired("SECRET", "secret", _SECRET + rb"|" + _KEY + rb"|token", values.password, (b"secret", b"key", b"token")),
    _element("PASSWORD", "password", PASSWORD + rb"|pass|pwd", PASSWORD_KEYWORDS),
    _element("SECRET", "secret", rb"secret|" + _KEY + rb"|token", (b"secret", b"key", b"token")),
    _switch("PASSWORD", "password", PASSWORD + rb"|\w{0,10}pass|pwd|pw", values.argument, (*PASSWORD_KEYWORDS, b"pw")),
    _switch("SECRET", "secret", _SECRET + rb"|" + _KEY + rb"|key|token", values.token, (b"secret", b"key", b"token")),
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

# A pattern begins with what is rare: one that may begin at each character of a word makes the automaton of all patterns
# too large for its memory, and the search a hundred times slower (measured on lines with hashes in them).
ADDRESSES = (
    # https://user:password@host, also with an @ in it.
    Rule(
        "PASSWORD",
        "password",
        rb"[A-Za-z0-9]:(?://|%2[Ff]%2[Ff]|\\/\\/)[^\s:/@\"'<>`]{0,200}(?::|%3[Aa])"
        rb"([^\s/\"'<>`?#]{1,1000})(?:@|%40)[\w.\[(-]",
        (b"://", b":%2f%2f", b":\\/\\/"),
        accept=_is_no_port,
    ),
    # A password with a slash in it, and not a port with a path behind it.
    Rule(
        "PASSWORD",
        "password",
        rb"[A-Za-z0-9]://[^\s:/@\"'<>`]{0,200}:"
        rb"([^\s/@\"'<>`0-9][^\s@\"'<>`]{0,200}|[0-9]{1,5}[^\s/@\"'<>`0-9][^\s@\"'<>`]{0,200})@[\w.-]+(?:[:/?\s\"']|$)",
        (b"://",),
    ),
    Rule("TOKEN", "token", rb"\bhttps?://([\w-]{20,})(?::x-oauth-basic)?@", (b"://",)),
    # Go's data source names, and those of Oracle.
    Rule("PASSWORD", "password", rb"\b[\w.-]{1,60}:([^\s:/\"']{1,200})@(?:tcp|unix)\(", (b"@tcp(", b"@unix(")),
    Rule("PASSWORD", "password", rb"(?i:jdbc:oracle:\w{2,5}:[\w.$-]{1,60}/)([^\s@\"']{1,200})@", (b"jdbc",)),
    # host:port:database:user:password, as in .pgpass.
    Rule(
        "PASSWORD",
        "password",
        rb"(?:^|[ \t\"'])(?:[\w-]+\.[\w.-]+|localhost|\*):(?:54[0-9]{2}|6432|6543|\*):"
        rb"(?:[A-Za-z_][\w-]*|\*):(?:[A-Za-z_][\w-]*|\*):"
        rb"([^\s:\"']{1,200})[\"']?[ \t\r]*$",
        (b":54", b":6432:", b":6543:", b":*:"),
    ),
    Rule(
        "PASSWORD", "password", rb"\b(?:login|user)[ \t]+\S{1,100}[ \t]+password[ \t]+", (b"password",), values.argument
    ),
    Rule(
        "PASSWORD",
        "password",
        rb"(?i:\b(?:credentials?|creds|userpass|login with|logged in with|auth)[ \t]*[:= ][ \t]*"
        rb"[\"']?[a-z][\w.@-]{0,60}:)",
        (b"cred", b"userpass", b"log", b"auth"),
        values.told,
    ),
)

STATEMENTS = (
    Rule(
        "PASSWORD",
        "password",
        rb"(?i:\bidentified[ \t]+(?:with[ \t]+[\"'`]?\w+[\"'`]?[ \t]+)?"
        rb"(?:by|as|using)[ \t]+(?:password[ \t]+|values[ \t]+)?)",
        (b"identified",),
        values.in_quotes,
    ),
    Rule(
        "PASSWORD",
        "password",
        rb"(?i:\buser[ \t]+\S{1,100}[ \t]+identified[ \t]+by[ \t]+)",
        (b"identified",),
        values.argument,
    ),
    Rule(
        "PASSWORD",
        "password",
        rb"(?i:\bpassword[ \t]*\(?[ \t]*)'((?:[^'\s=:,;)\]}|-]|'')(?:[^'\n]|''){0,500})'",
        (b"password",),
    ),
    Rule(
        "PASSWORD",
        "password",
        rb"(?i:\b(?:requirepass|masterauth|sasl_passwd|bindpw|rootpw|neo4j-password)[ \t]+)",
        (b"requirepass", b"masterauth", b"passw", b"bindpw", b"rootpw"),
        values.argument,
    ),
    Rule(
        "PASSWORD",
        "password",
        rb"(?i:\b(?:set|config|setenv|put)[ \t]+[^\s=]{0,80}(?:" + PASSWORD + rb")[ \t]+)",
        PASSWORD_KEYWORDS,
        values.argument,
    ),
    Rule(
        "SECRET",
        "secret",
        rb"(?i:\b(?:set|config|setenv|put)[ \t]+[^\s=]{0,80}(?:secret|token|" + _KEY + rb")[ \t]+)",
        (b"secret", b"token", b"key"),
        values.token,
    ),
    Rule("SECRET", "secret", rb"\bConvertTo-SecureString[ \t]+(?:-String[ \t]+)?", (b"securestring",), values.argument),
    Rule(
        "COMMUNITY",
        "SNMP community",
        rb"(?i:(?:snmp-server[ \t]+community|\br[ow]community6?|snmp[-_ ]?community|community[-_ ]?string)(?:[ \t]+|"
        + IS
        + rb"))",
        (b"community",),
        values.argument,
    ),
    Rule("PASSWORD", "password", rb"\bPSK[ \t]+[\"']([^\"'\n]+)", (b"psk",)),
    Rule("PASSWORD", "password", rb"\bauth=\([ \t]*[\"'][^\"'\n]{0,100}[\"'],[ \t]*[\"']([^\"'\n]+)", (b"auth=(",)),
    Rule(
        "PASSWORD", "password", rb"\bAUTH[ \t]+(?:PLAIN|LOGIN|XOAUTH2|CRAM-MD5)[ \t]+([A-Za-z0-9+/=]{8,})", (b"auth",)
    ),
    Rule("PASSWORD", "password", rb"\"(?i:auth)\"[ \t]+(?:\"[^\"\n]{0,100}\"[ \t]+)?\"([^\"\n]+)\"", (b'"auth"',)),
    # What crypt(3) and its successors make of a password.
    Rule(
        "PASSWORD_HASH",
        "password hash",
        rb"\$(?:1|2[abxy]?|5|6|7|y|gy|apr1|argon2(?:id?|d)|pbkdf2[\w-]{0,12}|scrypt|md5|sha1)\$([^\s:\"';]{20,})",
        (
            *(b"$1$", b"$2", b"$5$", b"$6$", b"$7$", b"$y$", b"$gy$", b"$apr1$", b"$argon2", b"$pbkdf2", b"$scrypt$"),
            *(b"$md5", b"$sha1"),
        ),
    ),
)

BY_CONTEXT = (*HEADERS, *NAMES, *SENTENCES, *ADDRESSES, *STATEMENTS)
