"""Secrets by where they stand: in addresses, and in statements of one language or another."""

from streamcli.core.secrets import values
from streamcli.core.secrets.rules import Rule
from streamcli.core.secrets.surroundings import IS, KEY, PASSWORD, PASSWORD_KEYWORDS


def _is_no_port(text: bytes, match: values.Span, value: values.Span) -> bool:
    """Not of two digits: http://user:80@host."""
    return value[1] - value[0] > 2 or not text[value[0] : value[1]].isdigit()


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
        rb"(?i:\b(?:set|config|setenv|put)[ \t]+[^\s=]{0,80}(?:secret|token|" + KEY + rb")[ \t]+)",
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

BY_PLACE = (*ADDRESSES, *STATEMENTS)
