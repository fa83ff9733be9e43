"""Secrets that were never anybody's, and lines of logs that show one. Each is put together from pieces at run time, so
that no scanner of repositories takes this file for a leak."""

import base64
import random
import string

HEX = "0123456789abcdef"
UPPER_DIGITS = string.ascii_uppercase + string.digits
ALNUM = string.ascii_letters + string.digits
URLSAFE = ALNUM + "-_"


def some(alphabet: str, length: int, seed: int) -> str:
    """Random characters, the same in each run; a digit and letters of both cases among them if there are any."""
    chance = random.Random(seed)
    while True:
        text = "".join(chance.choice(alphabet) for _ in range(length))
        kinds = (str.isdigit, str.islower, str.isupper)
        if length < 6 or all(any(map(kind, text)) or not any(map(kind, alphabet)) for kind in kinds):
            return text if text[0].isalnum() and text[-1].isalnum() else some(alphabet, length, seed + 1000)


def _base64url(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


# Kind -> a secret of it, by a seed. These are known by their form, wherever they stand.
BY_FORM = {
    "AWS_KEY": lambda n: "AK" + "IA" + some(UPPER_DIGITS, 16, n),
    "GCP_KEY": lambda n: "AI" + "za" + some(URLSAFE, 35, n),
    "GCP_TOKEN": lambda n: "ya" + "29." + some(URLSAFE, 60, n),
    "AZURE_KEY": lambda n: some(ALNUM, 3, n) + "8" + "Q" + "~" + some(ALNUM + "-_.~", 34, n),
    "GITHUB_TOKEN": lambda n: "gh" + "pousr"[n % 5] + "_" + some(ALNUM, 36, n),
    "GITLAB_TOKEN": lambda n: "gl" + "pat-" + some(URLSAFE, 20, n),
    "SLACK_TOKEN": lambda n: "xo" + "xb-" + some(string.digits, 12, n) + "-" + some(ALNUM, 24, n),
    "STRIPE_KEY": lambda n: "sk" + "_live_" + some(ALNUM, 24, n),
    "TWILIO_KEY": lambda n: "S" + "K" + some(HEX, 32, n),
    "SENDGRID_KEY": lambda n: "S" + "G." + some(URLSAFE, 22, n) + "." + some(URLSAFE, 43, n),
    "MAILGUN_KEY": lambda n: "key" + "-" + some(HEX, 32, n),
    "NPM_TOKEN": lambda n: "npm" + "_" + some(ALNUM, 36, n),
    "PYPI_TOKEN": lambda n: "pypi" + "-AgEIcHlwaS5vcmc" + some(URLSAFE, 60, n),
    "DOCKER_TOKEN": lambda n: "dckr" + "_pat_" + some(URLSAFE, 27, n),
    "HUGGINGFACE_TOKEN": lambda n: "h" + "f_" + some(string.ascii_letters, 34, n),
    "OPENAI_KEY": lambda n: "s" + "k-proj-" + some(URLSAFE, 48, n),
    "ANTHROPIC_KEY": lambda n: "s" + "k-ant-api03-" + some(URLSAFE, 90, n),
    "FACEBOOK_TOKEN": lambda n: "EA" + "A" + some(ALNUM, 100, n),
    "NOTION_TOKEN": lambda n: "nt" + "n_" + some(ALNUM, 46, n),
    "SOURCEGRAPH_TOKEN": lambda n: "sg" + "p_" + some(HEX, 16, n) + "_" + some(HEX, 40, n),
    "ONEPASSWORD_TOKEN": lambda n: "op" + "s_eyJ" + some(ALNUM, 200, n),
    "DIGITALOCEAN_TOKEN": lambda n: "do" + "p_v1_" + some(HEX, 64, n),
    "TELEGRAM_TOKEN": lambda n: some("123456789", 10, n) + ":A" + "A" + some(URLSAFE, 33, n),
    "SHOPIFY_TOKEN": lambda n: "shp" + "at_" + some(HEX, 32, n),
    "DATABRICKS_TOKEN": lambda n: "da" + "pi" + some(HEX, 32, n),
    "VAULT_TOKEN": lambda n: "hv" + "s." + some(URLSAFE, 90, n),
    "TERRAFORM_TOKEN": lambda n: some(ALNUM, 14, n) + ".atlas" + "v1." + some(URLSAFE, 67, n),
    "AGE_KEY": lambda n: "AGE-SECRET" + "-KEY-1" + some(UPPER_DIGITS, 58, n),
    "JWT": lambda n: (
        "ey" + "J" + _base64url(f'{{"a":{n}}}x') + "abc." + some(URLSAFE, 60, n) + "." + some(URLSAFE, 43, n)
    ),
}

FORM_CONTEXTS = (
    "2031-05-04T12:00:01Z ERROR [worker-3] upstream said 401 for {}",
    "May  4 12:00:01 host app[211]: using {}, attempt 1",
    '{{"level":"warn","msg":"bad credential","detail":"{}"}}',
    "GET /v1/items?since=4&key={}&limit=10 HTTP/1.1",
    "    raise Denied('{}')",
    "export SOME_THING={}",
)

# Passwords, which have no form: known by what stands around them.
PASSWORDS = ("hunter2", "S3cure!Pass", "correct-horse", "tr0ub4dor&3", "p@ssw0rd", "xK9#mQ2$vL", "Zürich8004")
PASSWORD_CONTEXTS = (
    "login with password={} failed",
    "password: {}",
    "db_password = {}",
    "2031-05-04 12:00:01 DEBUG connect user=app DB_PASSWORD={} host=db",
    '{{"user":"bob","password":"{}","ok":true}}',
    'body="{{\\"user\\":\\"bob\\",\\"password\\":\\"{}\\"}}"',
    "{{'user': 'bob', 'passwd': '{}'}}",
    'level=info user=bob pwd="{}" code=7',
    "mysqldump -u root -p{} shop",
    "sshpass -p '{}' ssh host",
    "tool --user bob --password {} --verbose",
    "ALTER USER bob IDENTIFIED BY '{}';",
    "CREATE ROLE bob LOGIN PASSWORD '{}'",
    "ldapsearch -D cn=admin -w '{}' -b dc=example",
    "<password>{}</password>",
    '<add key="DbPassword" value="{}"/>',
    '{{"name":"MYSQL_ROOT_PASSWORD","value":"{}"}}',
    "machine example.com login bob password {}",
    "PGPASSWORD={} psql -h db",
    'Server=db;User Id=sa;Password="{}";Database=shop',
    "params: [username => bob, password => {}]",
    "curl -sS -u 'bob:{}' https://example.com/",
    "redis-cli -h cache -a {} ping",
    "spring.datasource.password={}",
    "smtp_pass: '{}'",
)
URL_PASSWORD_CONTEXTS = (
    "connecting to postgres://app:{}@db.example.com:5432/shop",
    'DATABASE_URL="mysql://root:{}@127.0.0.1/shop?ssl=true"',
    "redis://:{}@cache:6379/0 is gone",
    "fatal: unable to access 'https://bob:{}@git.example.com/x.git/'",
    "amqp+ssl://guest:{}@mq:5671//",
    "open app:{}@tcp(db:3306)/shop failed",
)
# What says a password in passing: only one with a digit is told from prose there.
SENTENCES = (
    "user bob: the password is {}",
    "logging in with password {}",
    "wrong password {} for bob",
    "[sudo] password for bob: {}",
    "username bob password 7 {}",
    "echo {} | sudo -S apt update",
    "echo 'bob:{}' | chpasswd",
    "net user bob {} /add",
    "aws configure set db_password {}",
    "7z x -p{} a.7z",
    "snmp-server community {} RO",
)
TOKEN_CONTEXTS = (
    "Authorization: Bearer {}",
    '"authorization": "Bearer {}"',
    "authorization: Token {}",
    "-H 'X-Api-Key: {}'",
    "X-Auth-Token={}",
    "GET /cb?token={}&state=7",
    "GET /cb?access_token={} HTTP/1.1",
    "client_secret={}&grant_type=client_credentials",
    "AWS_SECRET_ACCESS_KEY={}",
    "aws_session_token = {}",
    'api_key: "{}"',
    '{{"refresh_token":"{}","expires_in":3600}}',
    "Set-Cookie: sid={}; Path=/; HttpOnly",
    "Cookie: theme=dark; session={}; lang=de",
    "jsessionid={}",
    "AccountName=shop;AccountKey={};EndpointSuffix=core.windows.net",
    "Endpoint=sb://x/;SharedAccessKeyName=root;SharedAccessKey={}",
    "https://acct.blob.core.windows.net/c/b?sv=2022&sig={}&se=2031",
    "//registry.example.com/:_authToken={}",
    "--api-key {} --region eu",
    '["--token", "{}"]',
    "form: token%3D{}%26user%3Dbob",
    "the token is {}",
    "SECRET_KEY_BASE={}",
    "Encryption-Key: {}",
)

# Lines without a secret, however much they speak of them.
HARMLESS = (
    "password reset for bob",
    "token expired",
    "unexpected token: a1b2",
    "password=null",
    "password= user=bob",
    '{"password":null,"token":""}',
    '{"password":"[FILTERED]","token":"***"}',
    "password=******** user=bob",
    "key=42",
    "passwd: authentication failure; logname= uid=0",
    "sshd[7]: Failed password for invalid user admin from 10.0.0.1 port 22 ssh2",
    "sshd[7]: Accepted password for bob from 10.0.0.1 port 22 ssh2",
    "pam_unix(su:auth): authentication failure; logname= uid=0 euid=0 tty= ruser=bob",
    "author=Jane Doe",
    "authors: 3",
    "request_id=0b51e3f2-7c5f-4f0e-9c1e-8d2b7a6f5e4d took 5 ms",
    "x-request-id: 0b51e3f2-7c5f-4f0e-9c1e-8d2b7a6f5e4d",
    "checked out 3f786850e387550fdab836ed7e6dc881de23001b",
    "image sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 pulled",
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUg==",
    "Unexpected token < in JSON at position 0",
    "unexpected token: '}'",
    "error: invalid token: expected 32 bytes",
    "max_tokens=1024 prompt_tokens=311 token_type=bearer",
    "tokens: 1500",
    "bad password: try again",
    "secret: not found",
    'secrets "db" not found',
    "secretName: web-tls",
    "private key: /etc/ssl/private/server.key",
    "password_policy=strong password_changed_at=2031-01-01",
    "session opened for user root by (uid=0)",
    "INFO [SessionTracker] Established session 0x14f05578bd80001 with timeout 10000",
    "Expiring session 0x14f05578bd80001, sessionid:0x14f05578bd80001 type:create",
    "session: closed",
    "primary key: id",
    "duplicate key value violates unique constraint",
    "compass=north bypass=12345678",
    "tests: pass: 128, fail: 2",
    "pass=1024 fail=0",
    "PWD=/home/bob/src OLDPWD=/home/bob",
    "PASS src/app.test.js",
    "password=${DB_PASSWORD} token=$TOKEN key=%s",
    "token={{ vault_token }}",
    "password = os.environ['DB_PASSWORD']",
    "token = get_token()",
    "Authorization: Basic realm required",
    "www-authenticate: Bearer error=expired",
    "Basic authentication is off",
    "cookie expired",
    "GET https://example.com:8080/@scope/pkg",
    "dialing tcp://10.0.0.1:9000 from me@example.com",
    "12:30:15 login ok",
    "http://localhost:3000/",
    "std::vector<int>::push_back",
    "git@github.com:org/repo.git",
    "block blk_-1608999687919862906 of size 67108864",
    "arn:aws:iam::123456789012:role/deploy",
    "use --password to set one",
    "usage: tool [--token TOKEN]",
    "id_token was rejected",
    "csrf check passed",
    "password has expired",
    "the password is too short",
    '{"errors":{"password":"must be at least 8 characters","token":"is invalid"}}',
    "otp: expired",
    "cvv check failed",
    "docker login succeeded",
    "curl -s https://example.com/ -o out",
    "signature: valid",
    "assertion failed: x > 0",
    "a.go:54:12:undefined: x",
)
