"""All settings. Each comes from the environment or has a safe default; nothing hangs on DEBUG."""

import os
from urllib.parse import urlsplit

from bootstrap_wrapper import get_bootstrap_dir

from config import logs, policy, rest, work
from config.environment import (
    BASE_DIR,
    at_least,
    database,
    env,
    fernet_keys,
    hosts_with_ports,
    load_demo,
    load_keys,
    names,
    oauth_consumer,
    one_of,
    secret_key,
    sender,
    service,
    var_dir,
    web_address,
    whole_numbers,
)

VAR_DIR = var_dir()
EMBEDDED = not service("DATABASE_URL", ("postgres", "postgresql", "sqlite"))
load_keys(VAR_DIR, embedded=EMBEDDED)
load_demo(VAR_DIR, embedded=EMBEDDED)

# --- who and where -----------------------------------------------------------------------------

SECRET_KEY = secret_key()
FERNET_KEYS = fernet_keys()  # the first encrypts, all decrypt
DEBUG = False  # always: its error page shows what was typed
PUBLIC_URL = web_address("PUBLIC_URL", default="http://127.0.0.1:8000", has_path=False)
_public = urlsplit(PUBLIC_URL)
IS_HTTPS = _public.scheme == "https"
ALLOWED_HOSTS = names("ALLOWED_HOSTS") or [_public.hostname or ""]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
TRUSTED_PROXY_COUNT = at_least(0, "TRUSTED_PROXY_COUNT", default=0)

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_NAME = "__Host-session" if IS_HTTPS else "sessionid"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = IS_HTTPS
SECURE_REDIRECT_EXEMPT = [r"^webhooks/"]  # whoever sends them follows no redirect
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if IS_HTTPS and TRUSTED_PROXY_COUNT else None
)
SECURE_HSTS_SECONDS = 31_536_000 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = IS_HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# --- parts -------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.bitbucket_oauth2",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
    "django_htmx",
    "django_structlog",
    "heroicons",
    "django.forms",
    "config",
    "tenants",
    "connections",
    "ingestion",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.compression.PageCompression",
    "tenants.middleware.RequestLog",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "config.readable_forms.ReadableForms",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["heroicons.templatetags.heroicons"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "tenants.context_processors.frame",
            ],
        },
    }
]

# --- what is kept where ------------------------------------------------------------------------

DATABASES = {"default": database("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'db.sqlite3'}")}
IS_SQLITE = DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3"
if IS_SQLITE:
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    # A process that stands still inside a transaction must not hold its locks for ever.
    STAND_STILL = {"options": "-c idle_in_transaction_session_timeout=60s"}
    DATABASES["default"]["OPTIONS"] = STAND_STILL | DATABASES["default"].get("OPTIONS", {})
DATABASES["default"]["CONN_MAX_AGE"] = 60  # opening one costs as much as what most requests ask
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUDIT_KEPT_DAYS = at_least(1, "AUDIT_KEPT_DAYS", default=730)  # older events are erased

if service("CACHE_URL", ("redis", "rediss")):
    CACHES = {"default": env.cache("CACHE_URL")}
else:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.db.DatabaseCache",
            "LOCATION": "cache",
            "OPTIONS": {"MAX_ENTRIES": 100_000},  # beyond, counts of limits would be dropped
        }
    }

STATIC_URL = "static/"
STATIC_ROOT = env.str("STATIC_ROOT", default="") or str(VAR_DIR / "static")
STATICFILES_DIRS = [BASE_DIR / "static", ("bootstrap", str(get_bootstrap_dir()))]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "config.static.StaticFiles"},
}

# --- sign-in -----------------------------------------------------------------------------------

AUTH_USER_MODEL = "tenants.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = policy.PASSWORDS
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "tenants:home"
SIGNUP = one_of("SIGNUP", ("open", "invited", "closed"), default="invited")

ACCOUNT_ADAPTER = "tenants.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "tenants.forms.SignUpForm"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_DEFAULT_HTTP_PROTOCOL = _public.scheme
SOCIALACCOUNT_ADAPTER = "tenants.adapters.SocialAccountAdapter"
SOCIALACCOUNT_PROVIDERS = {
    "bitbucket_oauth2": {"provider_class": "tenants.sign_in.provider.BitbucketSignIn"}
}
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_LOGIN_ON_GET = False
MFA_ADAPTER = "tenants.adapters.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not IS_HTTPS

# --- Bitbucket ---------------------------------------------------------------------------------

BITBUCKET_CLOUD_API_URL = web_address(
    "BITBUCKET_CLOUD_API_URL", default="https://api.bitbucket.org/2.0"
)
BITBUCKET_CLOUD_WEB_URL = web_address("BITBUCKET_CLOUD_WEB_URL", default="https://bitbucket.org")
_consumer = oauth_consumer("BITBUCKET_OAUTH")
BITBUCKET_OAUTH_CLIENT_ID, BITBUCKET_OAUTH_CLIENT_SECRET = _consumer
_consumer = oauth_consumer("BITBUCKET_SIGNIN", default=_consumer)
BITBUCKET_SIGNIN_CLIENT_ID, BITBUCKET_SIGNIN_CLIENT_SECRET = _consumer
CONNECTION_ALLOWED_PRIVATE_HOSTS = hosts_with_ports("CONNECTION_ALLOWED_PRIVATE_HOSTS")
# Where a simulated Bitbucket lets itself be steered; set only by the demo. Pages then say so.
SANDBOX_CONTROL_URL = env.str("SANDBOX_CONTROL_URL", default="")
# With this key a link signs one in as the demo's owner; made anew at each start of the demo.
DEMO_KEY = env.str("DEMO_KEY", default="")
DEMO_OWNER = "ada@example.com"
CONNECTORS = [
    "connections.connectors.bitbucket_cloud.BitbucketCloud",
    "connections.connectors.bitbucket_pipelines.BitbucketPipelines",
]
# What counts requests against Bitbucket's limits. Named here, so that connections need not know it.
REQUEST_LEDGER = "ingestion.quota.Ledger"
# Seconds for all the questions of one verification together.
VERIFICATION_DEADLINE = env.float("VERIFICATION_DEADLINE", default=30.0)
# How sign-in asks Bitbucket. Named here, so that tenants need not know the transport.
SIGN_IN_SESSION = "connections.transport.walled.WalledSession"
# Numbers beside the navigation. Named here, so that tenants need not know where they come from.
FRAME_COUNTS = "ingestion.selectors.frame.counts"
# What goes on acting as a member who is removed. Named here, so that tenants need not know it.
ACTS_AS = "connections.selectors.acting_as"
# What stands above a connection's tabs: its freshness and its problems.
CONNECTION_HEAD = "ingestion.words.head.connection_head"
SCHEDULE_SENTENCE = "ingestion.words.estimates.schedule_sentence"
# The last deliveries of a connection's webhooks, as its page shows them.
LATEST_DELIVERIES = "ingestion.words.deliveries.latest_deliveries"
# What connections.info tells of the last sync, from the app above.
LAST_SYNC_ROW = "ingestion.api.syncs.last_sync_row"
SOURCES = {
    "bitbucket_cloud": "ingestion.sources.bitbucket_cloud.BitbucketCloudSource",
    "bitbucket_pipelines": "ingestion.sources.bitbucket_pipelines.BitbucketPipelinesSource",
}
# What each credential sees and may still ask, from the app above.
CREDENTIAL_STANDINGS = "ingestion.selectors.reach.standings"
CHOSEN_REPOSITORIES = "ingestion.selectors.reach.chosen_repositories"
CREDENTIAL_REACH = "ingestion.selectors.reach.repositories_seen"
DELETED_CONNECTIONS_KEPT = at_least(1, "DELETED_CONNECTIONS_KEPT", default=30)  # days
SYNC_DETAILS_KEPT = at_least(1, "SYNC_DETAILS_KEPT", default=90)  # days
DELIVERIES_KEPT = at_least(1, "DELIVERIES_KEPT", default=30)  # days
QUOTA_LIMIT = at_least(1, "QUOTA_LIMIT", default=1000)  # requests in a window
QUOTA_WINDOW = at_least(1, "QUOTA_WINDOW", default=3600)  # seconds; the demo's hour is shorter

# --- work --------------------------------------------------------------------------------------

# The database is the queue's truth; a message only wakes somebody up, and may be lost.
CELERY_BROKER_URL = service("CELERY_BROKER_URL", ("redis", "rediss", "amqp", "amqps")) or work.FILES
CELERY_BROKER_TRANSPORT_OPTIONS = work.transport_options(CELERY_BROKER_URL, VAR_DIR / "broker")
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.1}
CELERY_TASK_QUEUES = work.QUEUES
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = work.ROUTES
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_BACKEND = None
CELERY_TASK_ACKS_LATE = False
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CONCURRENCY = at_least(1, "WORKER_CONCURRENCY", default=max(3, os.cpu_count() or 1))
# Remote control needs a broker that can tell everybody; files cannot.
CELERY_WORKER_ENABLE_REMOTE_CONTROL = CELERY_BROKER_URL != work.FILES
TICK = at_least(1, "TICK", default=10)  # seconds between two looks at what is due
CELERY_BEAT_SCHEDULE = work.schedule(TICK)
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "beat")
DJANGO_STRUCTLOG_CELERY_ENABLED = True
# Seconds for which a worker owns a sync; renewed while a request is in flight (20 s at most).
SYNC_LEASE = at_least(1, "SYNC_LEASE", default=25)
# Slices of syncs that run at a time: one slot of a worker stays free for people, where it has
# more than one. SQLite has one writer, so it has one slice.
_slots = 1 if IS_SQLITE else max(1, CELERY_WORKER_CONCURRENCY - 1)
SYNC_SLOTS = at_least(1, "SYNC_SLOTS", default=_slots)
SYNC_SLICE = at_least(1, "SYNC_SLICE", default=10)  # seconds, when anything else waits
SYNC_FETCHERS = at_least(1, "SYNC_FETCHERS", default=32)  # requests in flight per slice, at most
# Seconds before each of the next tries when Bitbucket has trouble; after them a sync ends.
SYNC_RETRY_DELAYS = whole_numbers("SYNC_RETRY_DELAYS", default="10,30,120")

# The same for a delivery of a webhook; after them the next sync brings what it told of.
DELIVERY_RETRY_DELAYS = whole_numbers("DELIVERY_RETRY_DELAYS", default="10,60,600")

# --- pages -------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True  # allauth's words are replaced by those in config/locale
LOCALE_PATHS = [BASE_DIR / "config" / "locale"]
USE_THOUSAND_SEPARATOR = True

CONTENT_SECURITY_POLICY = policy.content_security(BITBUCKET_CLOUD_WEB_URL)

# --- API ---------------------------------------------------------------------------------------

DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576
REST_FRAMEWORK = rest.FRAMEWORK
SPECTACULAR_SETTINGS = rest.schema(PUBLIC_URL)

# --- mail and logs -----------------------------------------------------------------------------

_mail = service("EMAIL_URL", tuple(env.EMAIL_SCHEMES)) or "consolemail://"
EMAIL_CONFIG = env.email_url_config(_mail)
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = sender("DEFAULT_FROM_EMAIL", default=f"tributary@{_public.hostname}")

LOG_LEVEL = one_of("LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"), default="INFO")
LOGGING = logs.configure(
    level=LOG_LEVEL, form=one_of("LOG_FORMAT", tuple(logs.FORMATS), default="lines")
)
