"""Settings of the tests: those of the product, with keys of their own and cheap passwords."""

import os
import tempfile

os.environ.setdefault("VAR_DIR", tempfile.mkdtemp(prefix="tributary-tests-"))
os.environ.setdefault("SECRET_KEY", "tests-only-" + "k" * 50)
os.environ.setdefault("FERNET_KEYS", "tests-only-fernet-key")
os.environ.setdefault("PUBLIC_URL", "http://testserver")
os.environ.setdefault("ALLOWED_HOSTS", "testserver,127.0.0.1,localhost")
os.environ.setdefault("LOG_LEVEL", "WARNING")
# Processes that tests start compile what they import once, not each for itself.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

from config.settings import *  # noqa: F403  # the environment comes first

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
if os.environ.get("TEST_CACHE_URL"):
    # A database of Redis for each process of pytest-xdist: each test empties its own.
    _process = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    CACHES = {"default": env.cache("TEST_CACHE_URL")}  # noqa: F405
    CACHES["default"]["LOCATION"] = f"{os.environ['TEST_CACHE_URL']}/{3 + _process}"
else:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
if "TEST" not in DATABASES["default"] and EMBEDDED:  # noqa: F405
    # A file, as in the product: threads and processes then wait for each other in the same way.
    DATABASES["default"]["TEST"] = {"NAME": str(VAR_DIR / "test.sqlite3")}  # noqa: F405
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
os.makedirs(STATIC_ROOT, exist_ok=True)  # noqa: F405  # whitenoise warns where there is none
