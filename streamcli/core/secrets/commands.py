"""The rules for what is secret as an argument of a program: shells, schedulers and audits log whole command lines."""

from streamcli.core.secrets import values
from streamcli.core.secrets.rules import Rule


def _command(tools: bytes, behind: bytes, *keywords: bytes) -> Rule:
    """A program whose arguments end in a password; anything may stand between, another secret too."""
    pattern = rb"\b(?:" + tools + rb")\b[^\n|;]*?" + behind
    return Rule("PASSWORD", "password", pattern, keywords, values.argument, alone=True)


# By program: `-p` of one is the port of another.
_SPACE = rb"(?:[ \t=]+|[\"'],[ \t]*)?"
_FLAG = rb"[\s\"']-"
COMMANDS = (
    _command(
        rb"mysql\w*|mariadb[\w-]*|xtrabackup|7z[ar]?|rar",
        _FLAG + rb"p",
        b"mysql",
        b"mariadb",
        b"xtrabackup",
        b"7z",
        b"rar",
    ),
    _command(rb"sshpass|mongo\w*|twine|evil-winrm", _FLAG + rb"p" + _SPACE, b"sshpass", b"mongo", b"twine", b"winrm"),
    _command(
        rb"(?:docker|podman|az|oc|nerdctl|buildah|skopeo|crane|helm)(?:[ \t]+[\w-]+){0,3}?[ \t]+login",
        _FLAG + rb"p" + _SPACE,
        b"login",
    ),
    _command(rb"ldap\w+", _FLAG + rb"w" + _SPACE, b"ldap"),
    _command(rb"redis-cli|valkey-cli", _FLAG + rb"a" + _SPACE, b"redis-cli", b"valkey-cli"),
    _command(
        rb"sqlcmd|isql|bcp|ipmitool|(?:un)?zip|mosquitto_\w+|ssh-keygen",
        _FLAG + rb"[PN]" + _SPACE,
        *(b"sqlcmd", b"isql", b"bcp", b"ipmitool", b"zip ", b"mosquitto_", b"ssh-keygen"),
    ),
    _command(rb"curl", _FLAG + rb"(?:u|U|-user|-proxy-user)" + _SPACE + rb"[\"']?[^\s:\"']{0,100}:", b"curl"),
    _command(rb"lftp", _FLAG + rb"u" + _SPACE + rb"[\"']?[^\s,\"']{1,100},", b"lftp"),
    _command(
        rb"smbclient|rpcclient|smbget|winexe|wmic|net",
        rb"[\s\"'](?:-U|--user=?)" + _SPACE + rb"[\"']?[^\s%\"']{1,100}%",
        *(b"smb", b"rpcclient", b"winexe", b"wmic", b"net "),
    ),
    _command(rb"openssl", rb"[\s\"'](?:pass:|-k[ \t]+)", b"openssl"),
    _command(rb"htpasswd", rb"-\w*b\w*[ \t]+\S{1,200}[ \t]+\S{1,100}[ \t]+", b"htpasswd"),
    _command(rb"rabbitmqctl", rb"(?:add_user|change_password)[ \t]+\S{1,100}[ \t]+", b"rabbitmqctl"),
    _command(
        rb"psexec\w*|useradd|usermod|xfreerdp|nxc|crackmapexec",
        _FLAG + rb"p" + _SPACE,
        b"psexec",
        b"useradd",
        b"usermod",
        b"xfreerdp",
        b"nxc",
        b"crackmapexec",
    ),
    _command(rb"https?", rb"[\s\"']-a[ \t]+[\"']?[^\s:\"']{1,100}:", b"http"),
    _command(rb"kubectl|oc", rb"--from-literal[= ][\"']?[\w.-]{1,100}=", b"from-literal"),
    _command(rb"runas", rb"/user:\S+[ \t]+", b"runas"),
    _command(rb"schtasks", rb"/rp[ \t]+", b"schtasks"),
    _command(rb"nmcli", rb"\bpassword[ \t]+", b"nmcli"),
    _command(rb"vault", rb"[ \t]login[ \t]+", b"vault"),
    _command(rb"net[ \t]+use", rb"/user:\S+[ \t]+", b"net use"),
    _command(rb"net[ \t]+user", rb"[ \t][\w.-]{1,60}[ \t]+", b"net user"),
    _command(rb"sqlplus|expdp|impdp|sqlldr", rb"[\s\"'][A-Za-z]\w{0,60}/", b"sqlplus", b"expdp", b"impdp", b"sqlldr"),
    # What is piped into a program that asks for a password.
    Rule(
        "PASSWORD",
        "password",
        rb"\b(?:echo|printf)[ \t]+(?:-n[ \t]+)?[\"']?(?:[\w.-]{1,60}:)?([^\s\"'|]{3,200})[\"']?[ \t]*\|[^\n|]*?"
        rb"(?:sudo[ \t]+-S|password-stdin|kinit|--stdin|chpasswd|passwd)\b",
        (b"echo", b"printf"),
        alone=True,
    ),
    # The protocols that send a password by itself.
    _command(rb"(?i:ftp|pop3?)\w*", rb"\bPASS[ \t]+", b"ftp", b"pop"),
    _command(rb"(?i:imap)\w*", rb"\bLOGIN[ \t]+\S{1,100}[ \t]+", b"imap"),
)
