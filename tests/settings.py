"""The product's settings with throw-away secrets; `.env` is never read in tests."""

import atexit
import os
import shutil
import tempfile

from cryptography.fernet import Fernet

from tests import services

os.environ["READ_DOTENV"] = "0"
os.environ["SECRET_KEY"] = "tests-only-" + "x" * 50
os.environ["CREDENTIAL_KEYS"] = Fernet.generate_key().decode()
os.environ["DEBUG"] = "0"
os.environ["PUBLIC_URL"] = "http://127.0.0.1:8000"
os.environ["WECHAT_API_URL"] = "http://127.0.0.1:9"
os.environ["WECHAT_TIMEOUT"] = "1,2,3"
os.environ["SETTLE_GRACE"] = "1.2"
os.environ["SYNC_EVERY"] = "0"
os.environ["SYNC_RATE"] = "0"
os.environ["QUOTA_EVERY"] = "300"
# In memory where the system has a place for it: the suite commits some 50,000 times, each with an fsync.
os.environ["VAR_DIR"] = tempfile.mkdtemp(
    prefix="fahuo-tests-",
    dir=services.MEMORY,
)
os.environ["DATABASE_URL"] = (
    services.postgres_url() if services.is_postgres() else f"sqlite:///{os.environ['VAR_DIR']}/tests.sqlite3"
)

from config.settings import *  # noqa: F403

atexit.register(shutil.rmtree, VAR_DIR, ignore_errors=True)  # noqa: F405
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# A file database: an in-memory one hides locking, and the worker runs in threads and processes of its own.
if not services.is_postgres():
    DATABASES["default"]["TEST"] = {"NAME": f"{os.environ['VAR_DIR']}/tests.sqlite3"}  # noqa: F405
MIDDLEWARE = [name for name in MIDDLEWARE if "whitenoise" not in name]  # noqa: F405
