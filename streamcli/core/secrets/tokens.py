"""The rules for what is secret by its own form: keys and tokens that say whose they are.

The forms are those that the services document, or give out; lengths are lower bounds below the real ones, as a log may
have cut a token, and as services make theirs longer in time.
"""

import base64

from streamcli.core.secrets.rules import Rule

_UUID = rb"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"


def _token(kind: str, whose: str, pattern: bytes, *keywords: bytes) -> Rule:
    noun = f"{whose} {'key' if kind.endswith('KEY') else 'token'}"
    return Rule(kind, noun, rb"\b(?:" + pattern + rb")", keywords)


def _webhook(pattern: bytes, *keywords: bytes) -> Rule:
    """Whoever knows its address may write: the path is the secret."""
    return Rule("WEBHOOK", "webhook", pattern, keywords)


# How a private key of PEM's begins where it is in base64 once more, as in a kubeconfig.
_ENCODED_KEYS = tuple(
    base64.b64encode(b"-----BEGIN " + name)[:20]
    for name in (b"PRIVATE", b"RSA PRIV", b"EC PRIVA", b"DSA PRIV", b"OPENSSH ", b"ENCRYPTE", b"PGP PRIV")
)

BY_FORM = (
    Rule(
        "PRIVATE_KEY",
        "private key",
        rb"(?:" + b"|".join(_ENCODED_KEYS) + rb")[A-Za-z0-9+/=]{20,}",
        (b"ls0tls1crudjti",),
    ),
    _token("AWS_KEY", "AWS", rb"A[KS]IA[A-Z0-9]{16}[\"']?[,:;/| \t]{1,3}[\"']?[A-Za-z0-9/+]{40}\b", b"akia", b"asia"),
    _token("MAPBOX_TOKEN", "Mapbox", rb"sk\.eyJ[\w-]{10,}\.[\w-]{10,}", b"sk.eyj"),
    _token("JWT", "JSON web", rb"eyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*){1,3}", b"eyj"),
    # Clouds.
    _token(
        "AWS_KEY",
        "AWS",
        rb"(?:AKIA|ASIA|ABIA|ACCA|AROA|AIDA|A3T[A-Z0-9])[A-Z0-9]{12,}",
        b"akia",
        b"asia",
        b"abia",
        b"acca",
        b"aroa",
        b"aida",
        b"a3t",
    ),
    _token(
        "AWS_TOKEN", "AWS", rb"(?:FwoGZXIvYXdz|IQoJb3JpZ2lu|FQoGZXIvYXdz)[\w/+=%-]{20,}", b"fwogz", b"iqojb", b"fqogz"
    ),
    _token(
        "AWS_KEY", "AWS", rb"(?:ABSK[A-Za-z0-9+/]{30,}={0,2}|bedrock-api-key-[\w+/=-]{20,})", b"absk", b"bedrock-api"
    ),
    _token("GCP_KEY", "Google", rb"AIza[\w-]{30,}", b"aiza"),
    _token(
        "GCP_TOKEN", "Google", rb"(?:ya29\.[\w./-]{20,}|GOCSPX-[\w-]{16,}|1//0[\w-]{30,})", b"ya29", b"gocspx", b"1//0"
    ),
    _token("AZURE_KEY", "Azure", rb"[\w~.]{3}[0-9]Q~[\w~.-]{24,}", b"q~"),
    _token(
        "AZURE_KEY",
        "Azure",
        rb"[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}|[A-Za-z0-9]{52}JQQJ9[9D][A-Za-z0-9]{20,}",
        b"azdo",
        b"jqqj9",
    ),
    _token("DIGITALOCEAN_TOKEN", "DigitalOcean", rb"do[opr]_v1_[0-9a-f]{32,}", b"_v1_"),
    _token("ALIBABA_KEY", "Alibaba", rb"LTAI[A-Za-z0-9]{17,}", b"ltai"),
    _token("HEROKU_KEY", "Heroku", rb"HRKU-[\w-]{30,}", b"hrku-"),
    _token("DATABRICKS_TOKEN", "Databricks", rb"dapi[0-9a-f]{30,}(?:-[0-9])?|dose[0-9a-f]{32}", b"dapi", b"dose"),
    _token("CLOUDFLARE_KEY", "Cloudflare", rb"v1\.0-[0-9a-f]{24}-[0-9a-f]{100,}", b"v1.0-"),
    _token("FLY_TOKEN", "Fly.io", rb"fo1_[\w-]{30,}|fm[12][ar]?_[\w+/=-]{60,}", b"fo1_", b"fm"),
    # Code and packages.
    _token(
        "GITHUB_TOKEN", "GitHub", rb"gh[pousr]_[A-Za-z0-9_]{20,}|github_pat_[A-Za-z0-9_]{20,}", b"gh", b"github_pat_"
    ),
    _token(
        "GITLAB_TOKEN",
        "GitLab",
        rb"gl(?:pat|dt|rt|rtr|cbt|ptt|ft|imt|agent|soat|oas|ffct|wt)-[\w.=-]{16,}|GR1348941[\w-]{16,}",
        b"gl",
        b"gr1348941",
    ),
    _token("BITBUCKET_TOKEN", "Atlassian", rb"AT(?:ATT3|CTT3|BB)[\w=-]{20,}", b"at"),
    _token("NPM_TOKEN", "npm", rb"npm_[A-Za-z0-9]{30,}", b"npm_"),
    _token("PYPI_TOKEN", "PyPI", rb"pypi-AgE[\w-]{30,}", b"pypi-"),
    _token("RUBYGEMS_KEY", "RubyGems", rb"rubygems_[0-9a-f]{32,}", b"rubygems_"),
    _token("NUGET_KEY", "NuGet", rb"oy2[a-z0-9]{43}\b", b"oy2"),
    _token("CRATES_TOKEN", "crates.io", rb"cio[A-Za-z0-9]{32}\b", b"cio"),
    _token("CLOJARS_TOKEN", "Clojars", rb"CLOJARS_[A-Za-z0-9]{40,}", b"clojars_"),
    _token("DOCKER_TOKEN", "Docker", rb"dckr_(?:pat|oat)_[\w-]{16,}", b"dckr_"),
    _token("ARTIFACTORY_KEY", "Artifactory", rb"AKCp[A-Za-z0-9]{50,}|cmVmdGtu[A-Za-z0-9]{40,}", b"akcp", b"cmvmdgtu"),
    _token("SONAR_TOKEN", "Sonar", rb"sq[pau]_[0-9a-f]{32,}", b"sq"),
    _token(
        "SOURCEGRAPH_TOKEN",
        "Sourcegraph",
        rb"sgp_(?:local_|[0-9a-fA-F]{16}_)?[0-9a-fA-F]{32,}|slk_[0-9a-f]{60,}",
        b"sgp_",
        b"slk_",
    ),
    _token("POSTMAN_KEY", "Postman", rb"PMAK-[0-9a-f]{20,}-[0-9a-f]{30,}", b"pmak-"),
    _token("CI_TOKEN", "CI", rb"(?:CCIPAT|CCIPRJ|BKUA|bkua|bkaj|bkct)_[\w]{20,}", b"ccip", b"bk"),
    # What runs things.
    _token("VAULT_TOKEN", "Vault", rb"hv[sbr]\.[\w-]{20,}|[sb]\.[A-Za-z0-9]{24}\b", b"hv", b"s.", b"b."),
    _token("TERRAFORM_TOKEN", "Terraform", rb"[A-Za-z0-9]{14}\.atlasv1\.[\w=-]{40,}", b".atlasv1."),
    _token("PULUMI_TOKEN", "Pulumi", rb"pul-[0-9a-f]{36,}", b"pul-"),
    _token("DOPPLER_TOKEN", "Doppler", rb"dp\.(?:pt|st|ct|sa|scim|audit)\.[\w.-]{30,}", b"dp."),
    _token("GRAFANA_TOKEN", "Grafana", rb"glsa_[\w]{30,}|glc_[A-Za-z0-9+/=]{30,}", b"glsa_", b"glc_"),
    _token("NEWRELIC_KEY", "New Relic", rb"NR(?:AK|II|JS|AA|RA|IQ)-[\w-]{16,}", b"nr"),
    _token("SENTRY_TOKEN", "Sentry", rb"sntry[su]_[\w+/=-]{40,}", b"sntry"),
    _token("DYNATRACE_TOKEN", "Dynatrace", rb"dt0[a-z][0-9]{2}\.[A-Z0-9]{24}\.[A-Z0-9]{50,}", b"dt0"),
    _token("TAILSCALE_KEY", "Tailscale", rb"tskey-[\w-]{16,}", b"tskey-"),
    _token("PLANETSCALE_TOKEN", "PlanetScale", rb"pscale_(?:tkn|pw|oauth)_[\w.=-]{30,}", b"pscale_"),
    _token("SUPABASE_KEY", "Supabase", rb"sbp_[0-9a-f]{36,}|sb_secret_[\w-]{20,}", b"sbp_", b"sb_secret_"),
    _token("VERCEL_TOKEN", "Vercel", rb"vc[pkiar]_[A-Za-z0-9]{24,}|nfp_[A-Za-z0-9]{36,}", b"vc", b"nfp_"),
    _token("DISCORD_TOKEN", "Discord", rb"[MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,}", b"."),
    _token("OCTOPUS_KEY", "Octopus", rb"API-[A-Z0-9]{25,30}\b", b"api-"),
    _token(
        "ONEPASSWORD_TOKEN",
        "1Password",
        rb"ops_eyJ[\w+/=-]{40,}|A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}",
        b"ops_eyj",
        b"a3-",
    ),
    _token("AGE_KEY", "age", rb"AGE-SECRET-KEY-1[A-Z0-9]{40,}|AGE-PLUGIN-[A-Z0-9-]{1,30}-1[A-Z0-9]{30,}", b"age-"),
    # Messages and mail.
    _token(
        "SLACK_TOKEN",
        "Slack",
        rb"xox[a-z](?:\.xox[a-z])?-[\w%-]{10,}|xapp-[0-9]-[\w-]{16,}|xwfp-[\w-]{16,}",
        b"xox",
        b"xapp-",
        b"xwfp-",
    ),
    _token("TELEGRAM_TOKEN", "Telegram", rb"(?:bot)?[0-9]{8,10}:A[\w-]{33,}", b":a"),
    _token("TWILIO_KEY", "Twilio", rb"(?:SK|AC)[0-9a-f]{32}\b", b"sk", b"ac"),
    _token("SENDGRID_KEY", "SendGrid", rb"SG\.[\w-]{14,}\.[\w-]{14,}", b"sg."),
    _token(
        "MAILGUN_KEY", "Mailgun", rb"(?:pub)?key-[0-9a-f]{32}\b|[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8}\b", b"key-", b"-"
    ),
    _token("MAILCHIMP_KEY", "Mailchimp", rb"[0-9a-f]{32}-us[0-9]{1,2}\b", b"-us"),
    _token("BREVO_KEY", "Brevo", rb"xkeysib-[0-9a-f]{50,}-[\w]{16}", b"xkeysib-"),
    _token("POSTMARK_KEY", "Resend", rb"re_[A-Za-z0-9]{8}_[A-Za-z0-9]{20,}", b"re_"),
    # Money and shops.
    _token(
        "STRIPE_KEY",
        "Stripe",
        rb"(?:sk|rk|pk)_(?:live|test|prod)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/=]{20,}",
        b"_live_",
        b"_test_",
        b"_prod_",
        b"whsec_",
    ),
    _token("SQUARE_TOKEN", "Square", rb"sq0(?:atp|csp|idp)-[\w-]{20,}|EAAA[\w-]{55,}", b"sq0", b"eaaa"),
    _token("SHOPIFY_TOKEN", "Shopify", rb"shp(?:at|ca|pa|ss|tka|ua)_[0-9a-fA-F]{28,}", b"shp"),
    _token("RAZORPAY_KEY", "Razorpay", rb"rzp_(?:live|test)_[A-Za-z0-9]{14,}", b"rzp_"),
    _token(
        "PAYMENT_KEY",
        "payment",
        rb"(?:EZ[AT]K[A-Za-z0-9]{54}|FLWSECK(?:_TEST)?-[\w-]{12,}|access-(?:sandbox|development|production)-"
        + _UUID
        + rb")",
        b"ez",
        b"flwseck",
        b"access-",
    ),
    # Models.
    _token("ANTHROPIC_KEY", "Anthropic", rb"sk-ant-[\w-]{16,}", b"sk-ant-"),
    _token("OPENAI_KEY", "OpenAI", rb"sk-(?:proj-|svcacct-|admin-|None-|or-v1-)?[\w-]*[A-Za-z0-9][\w-]{19,}", b"sk-"),
    _token(
        "MODEL_KEY",
        "model",
        rb"(?:gsk|r8|pplx|xai|tgp_v1|nvapi|csk|fw|jina)[_-][A-Za-z0-9_-]{30,}",
        b"gsk",
        b"r8_",
        b"pplx-",
        b"xai-",
        b"tgp_",
        b"nvapi",
        b"csk-",
        b"fw_",
        b"jina_",
    ),
    _token("HUGGINGFACE_TOKEN", "Hugging Face", rb"hf_[A-Za-z0-9]{28,}|api_org_[A-Za-z]{34}", b"hf_", b"api_org_"),
    _token("SWARM_TOKEN", "Docker swarm", rb"SWMTKN-1-[0-9a-z]{20,}-[0-9a-z]{10,}", b"swmtkn"),
    # People's tools.
    _token("TWITCH_TOKEN", "Twitch", rb"oauth:[a-z0-9]{28,}", b"oauth:"),
    _token("FACEBOOK_TOKEN", "Facebook", rb"EAA[A-Za-z0-9]{40,}|IGQ[A-Za-z0-9_-]{60,}", b"eaa", b"igq"),
    _token("TWITTER_TOKEN", "Twitter", rb"A{20,}[\w%]{40,}", b"aaaa"),
    _token("NOTION_TOKEN", "Notion", rb"ntn_[A-Za-z0-9]{30,}|secret_[A-Za-z0-9]{32,}", b"ntn_", b"secret_"),
    _token("LINEAR_KEY", "Linear", rb"lin_(?:api|oauth)_[A-Za-z0-9]{32,}", b"lin_"),
    _token("FIGMA_TOKEN", "Figma", rb"fig[dour]{1,3}_[\w-]{32,}", b"fig"),
    _token("AIRTABLE_TOKEN", "Airtable", rb"pat[A-Za-z0-9]{14}\.[0-9a-f]{40,}", b"pat"),
    _token("HUBSPOT_TOKEN", "HubSpot", rb"pat-(?:na|eu|ap)[0-9]-" + _UUID, b"pat-"),
    _token("LAUNCHDARKLY_KEY", "LaunchDarkly", rb"(?:sdk|mob|api)-" + _UUID, b"sdk-", b"mob-", b"api-"),
    _token(
        "SERVICE_TOKEN",
        "service",
        rb"(?:rdme_[a-z0-9]{60,}|shippo_(?:live|test)_[0-9a-f]{36,}|tfp_[\w=.-]{50,}|duffel_(?:live|test)_[\w=-]{40,}|fio-u-[\w=-]{50,}|pnu_[A-Za-z0-9]{34,}|aio_[A-Za-z0-9]{26,}|ico-[A-Za-z0-9]{32}|ctx7sk-[\w-]{30,}|phc_[A-Za-z0-9]{40,}|phx_[A-Za-z0-9]{40,}|dop_v1_[0-9a-f]{32,}|cfut_[\w]{36,})",
        b"rdme_",
        b"shippo_",
        b"tfp_",
        b"duffel_",
        b"fio-u-",
        b"pnu_",
        b"aio_",
        b"ico-",
        b"ctx7sk-",
        b"phc_",
        b"phx_",
        b"dop_v1_",
        b"cfut_",
    ),
    _webhook(rb"hooks\.slack(?:-gov)?\.com\\?/(?:services|workflows|triggers)\\?/([\w/+\\-]{8,})", b"hooks.slack"),
    _webhook(rb"discord(?:app)?\.com/api/(?:v[0-9]{1,2}/)?webhooks/([0-9]{5,}/[\w-]{10,})", b"webhooks/"),
    _webhook(rb"\b(?:outlook|[\w-]{1,60}\.webhook)\.office(?:365)?\.com/webhook(?:b2)?/([\w@/-]{8,})", b".office"),
    _webhook(rb"hooks\.zapier\.com/hooks/catch/([\w/]{8,})", b"hooks.zapier"),
)
