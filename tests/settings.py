"""The product's settings over a data directory that lasts as long as the test run."""

import os
import tempfile

# Set before the product's settings are read; workers of pytest-xdist and started processes inherit both.
os.environ.setdefault("DUOLOGUE_TEST_DIR", tempfile.mkdtemp(prefix="duologue-tests-"))
os.environ["DATA_DIR"] = os.environ["DUOLOGUE_TEST_DIR"]
os.environ.setdefault("SECRET_KEY", "tests-only-" + "k" * 50)
os.environ.setdefault("IDENTITY_KEY", "tests-only-" + "i" * 50)
# Browser tests run an event loop in the thread that also builds their data.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")

from webapp.settings import *  # noqa: F403

# Hashing that is slow on purpose makes every login in a test slow.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# Static files come from their sources through the finders; whitenoise warns about a collected folder that is not there.
os.makedirs(STATIC_ROOT, exist_ok=True)  # noqa: F405
