"""Django settings: everything that differs between machines comes from the environment (see docs/settings.md)."""

from datetime import timedelta

from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.csp import CSP

from webapp.env import ROOT, database_from_url, read_env
from webapp.secrets import identity_key, secret_key
from webapp.stack.paths import broker_url, database_url

env = read_env()
DATA_DIR = env.data_dir()
DEBUG = env.flag("DEBUG", default=False)
SECRET_KEY = secret_key(env)
IDENTITY_KEY = identity_key(env)
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.import_export",
    "webapp.apps.DuologueAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "import_export",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "annotation",
    "webapp.apps.SiteConfig",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "annotation.middleware.EntryParameters",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "webapp.middleware.ContentSecurityPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "webapp.signing_in.KnownBrowser",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "webapp.urls"
WSGI_APPLICATION = "webapp.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.csp",
            ],
        },
    },
]

# The embedded server listens on a socket in the data directory, so any command finds it without being told.
DATABASE_URL = env.text("DATABASE_URL", database_url(DATA_DIR))
DATABASES = {"default": database_from_url(DATABASE_URL)}
if env.flag("DATABASE_POOL", default=False):
    # Only the web process pools: Celery closes Django's pool after every task.
    DATABASES["default"]["OPTIONS"]["pool"] = {"min_size": 1, "max_size": env.number("DATABASE_POOL_SIZE", 8)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The embedded Valkey is a socket too; RabbitMQ (amqp://) is the production broker.
BROKER_URL = env.text("BROKER_URL", broker_url(DATA_DIR))

# Work that no worker speaks of for so long is sent again; workers speak every few seconds.
GENERATION_LEASE_SECONDS = env.number("GENERATION_LEASE_SECONDS", 60, least=2)

# Above this many judgements a report takes seconds, so the default worker makes it and the page shows the last one.
REPORT_COMPUTED_AT_ONCE = env.number("REPORT_COMPUTED_AT_ONCE", 50_000)

# Recruiting platforms. Tokens and secrets come from the environment alone and are shown nowhere.
PROLIFIC_API_URL = env.text("PROLIFIC_API_URL", "https://api.prolific.com/api/v1/")
PROLIFIC_JWKS_URL = env.text("PROLIFIC_JWKS_URL", "https://api.prolific.com/.well-known/study/jwks.json")
PROLIFIC_RETURN_URL = env.text("PROLIFIC_RETURN_URL", "https://app.prolific.com/submissions/complete")
PROLIFIC_TOKEN = env.text("PROLIFIC_TOKEN")
PROLIFIC_WEBHOOK_SECRETS = env.words("PROLIFIC_WEBHOOK_SECRETS")
SONA_URL = env.text("SONA_URL", "https://{host}")
MTURK_HOSTS = env.words("MTURK_HOSTS", "www.mturk.com,workersandbox.mturk.com")

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
SESSION_COOKIE_AGE = 7 * 24 * 60 * 60

# Researchers' passwords cannot be guessed by trying: a name rests after so many failures, whoever tries it. Browsers in
# which it signed in before are counted apart, so that strangers cannot keep its owner out.
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AXES_FAILURE_LIMIT = env.number("LOGIN_FAILURES", 10)
AXES_COOLOFF_TIME = timedelta(minutes=env.number("LOGIN_REST_MINUTES", 15))
AXES_LOCKOUT_PARAMETERS = [["username", "user_agent"]]
# Kept of a failed try is its name alone: no password, no code.
AXES_SENSITIVE_PARAMETERS = ["username", "otp_token"]
DEFAULT_EXCEPTION_REPORTER_FILTER = "webapp.error_pages.AlwaysSafe"
# The check wants the address counted too; none is kept, and a name rests whatever address tries it.
SILENCED_SYSTEM_CHECKS = ["axes.W006"]
AXES_RESET_ON_SUCCESS = True
# Tries during the rest do not prolong it: a stranger must not be able to keep a researcher out for good.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_LOCKOUT_TEMPLATE = "admin/locked_out.html"
# No address and no browser is kept, of anybody.
AXES_CLIENT_IP_CALLABLE = "webapp.signing_in.no_address"
AXES_HANDLER = "webapp.signing_in.Tries"
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
OTP_TOTP_ISSUER = "Duologue"

# Researchers' sessions are rows, so they can be ended; annotators carry a signed cookie of their own.
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
HTTPS = env.flag("HTTPS", default=False)
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS and env.flag("HTTPS_REDIRECT", default=True)
SECURE_HSTS_SECONDS = env.number("HSTS_SECONDS", 31536000 if HTTPS else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.flag("BEHIND_PROXY", default=False) else None
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CSP = {
    "default-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],
    "object-src": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
}

LANGUAGE_CODE = "en"
# Those in which every page for annotators is complete: others would mix two languages, and name the wrong one.
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("es", "Español"), ("ar", "العربية")]
LOCALE_PATHS = [ROOT / "locale"]
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
STATICFILES_DIRS = [ROOT / "static"]
STATIC_ROOT = env.text("STATIC_ROOT", str(DATA_DIR / "static"))
# Hashed names are cached for good, but need `collectstatic` first; one machine serves the sources as they are.
HASHED = env.flag("STATIC_HASHED", default=False)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if HASHED
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not HASHED

# Names of functions, not the functions: the settings are read before the models are.
UNFOLD = {
    "SITE_TITLE": "Duologue",
    "SITE_HEADER": "Duologue",
    "SITE_SUBHEADER": "Dialogue agents, side by side",
    "SITE_SYMBOL": "forum",
    "SITE_URL": None,
    "SHOW_BACK_BUTTON": True,
    "STYLES": [lambda request: static("console-admin.css")],
    "LOGIN": {"form": "webapp.signing_in.SignInForm"},
    "ACCOUNT": {"navigation": [{"title": "Second step", "link": reverse_lazy("second_step")}]},
    "DASHBOARD_CALLBACK": "annotation.admin.home.dashboard",
    "SIDEBAR": {"show_search": True, "navigation": "annotation.admin.navigation.sidebar"},
    # The teal of the annotators' pages, from light to dark.
    "COLORS": {
        "primary": {
            "50": "#f0f9f9",
            "100": "#e2f0f0",
            "200": "#bfe0df",
            "300": "#7accc8",
            "400": "#4fb0ae",
            "500": "#2a8b92",
            "600": "#176f78",
            "700": "#115e67",
            "800": "#0f4c54",
            "900": "#0c3d44",
            "950": "#06262a",
        }
    },
}
