"""A PostgreSQL of its own for every test run, unless DATABASE_URL names one; Debian's chromium for browser tests."""

import os
import shutil
import signal
from pathlib import Path
from urllib.parse import quote

import pytest
from django.db import connection
from hypothesis import HealthCheck, settings

from webapp.stack.paths import runtime_dir
from webapp.stack.postgres import UNSAFE_BUT_FAST, start_postgres
from webapp.stack.process import Child

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# How long an example takes to make says how busy the machine is, and nothing about the code under test.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

started: list[Child] = []


def is_worker(config: pytest.Config) -> bool:
    """Tell whether this process is one of pytest-xdist's workers: they use the server of the process above them."""
    return hasattr(config, "workerinput")


def pytest_configure(config: pytest.Config) -> None:
    if is_worker(config) or os.environ.get("DATABASE_URL") or config.option.collectonly:
        return
    data_dir = Path(os.environ["DATA_DIR"])
    sockets = runtime_dir(data_dir)
    sockets.mkdir(mode=0o700, exist_ok=True)
    options = {**UNSAFE_BUT_FAST, "max_connections": "200"}
    started.append(
        start_postgres(data_dir / "postgres", sockets=sockets, log=data_dir / "postgres.log", options=options)
    )


def pytest_unconfigure(config: pytest.Config) -> None:
    if is_worker(config):
        return
    for child in started:
        child.stop(signal.SIGQUIT, patience=10)
    shutil.rmtree(os.environ["DUOLOGUE_TEST_DIR"], ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("browser") and not CHROMIUM and os.environ.get("BROWSER_TESTS") != "required":
            item.add_marker(pytest.mark.skip("no chromium on PATH (apt-get install chromium)"))
        if item.get_closest_marker("long") and not os.environ.get("LONG_TESTS"):
            item.add_marker(pytest.mark.skip("takes a minute or more: set LONG_TESTS=1, as the whole check does"))
        if item.get_closest_marker("services") and not os.environ.get("BROKER_URL", "").startswith("amqp://"):
            item.add_marker(pytest.mark.skip("DATABASE_URL and BROKER_URL name no PostgreSQL and RabbitMQ"))


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    assert CHROMIUM, "Browser tests need chromium on PATH: apt-get install chromium"
    return {**browser_type_launch_args, "executable_path": CHROMIUM, "args": CHROMIUM_FLAGS}


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """End what still holds the tests' database before it is dropped: sessions outlive processes that a test killed."""
    yield
    # The connection at hand may be one that a test broke.
    connection.close()
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.fixture
def factory(transactional_db):
    """A broker of its own over the tests' database; the default worker is started by the test."""
    from tests.generation.factory import Factory, connected_to

    here = connection.settings_dict
    address = f"postgresql://{here['USER']}:{here['PASSWORD']}@/{here['NAME']}?host={quote(here['HOST'], safe='')}"
    factory = Factory(database_url=address)
    try:
        factory.start_broker()
        with connected_to(factory):
            yield factory
    finally:
        factory.stop()
