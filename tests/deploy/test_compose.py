"""The production stack as far as it can be checked without a container engine: real binaries read every file."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from webapp.env import ROOT

BIN = Path(sys.executable).parent
COMPOSE = ROOT / "compose.yaml"
OURS = {"web", "worker", "beat", "migrate"}


def filled_in(**over):
    """Return the example environment as a careful person would fill it in."""
    values = dict(line.split("=", 1) for line in (ROOT / ".env.example").read_text().splitlines() if is_setting(line))
    return {name: value or "a1" * 32 for name, value in values.items()} | over


def is_setting(line):
    return "=" in line and not line.startswith("#")


def run(*command, env=None, **options):
    clean = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **(env or {})}
    return subprocess.run(command, env=clean, capture_output=True, text=True, timeout=120, **options)


def compose(*arguments, env):
    # --env-file: a .env in the checkout must not fill in what the test leaves out.
    options = ["--file", COMPOSE, "--env-file", "/dev/null", "--profile", "gpu"]
    return run(BIN / "docker-compose", *options, "config", *arguments, env=env)


@pytest.fixture(scope="module")
def services():
    return json.loads(compose("--format", "json", env=filled_in()).stdout)["services"]


def test_compose_accepts_the_file_without_a_warning():
    done = compose("--quiet", env=filled_in())
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("name", sorted(filled_in()))
def test_a_setting_that_is_missing_is_named(name):
    done = compose("--quiet", env=filled_in(**{name: ""}))
    assert done.returncode != 0
    assert name in done.stderr
    assert "set it in .env" in done.stderr


def test_the_example_environment_names_every_setting():
    used = set(re.findall(r"\$\{([A-Z_]+)", COMPOSE.read_text()))
    named = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert used == named


def test_the_gpu_worker_knows_the_broker_and_nothing_else(services):
    gpu = services["gpu"]
    assert set(gpu["environment"]) == {"BROKER_URL", "HF_HOME", "HF_TOKEN"}
    assert gpu["environment"]["BROKER_URL"].startswith("amqp://gpu:")
    assert "data" not in gpu["networks"]


def test_only_the_proxy_can_be_reached_from_outside(services):
    assert [name for name, service in services.items() if service.get("ports")] == ["caddy"]
    networks = json.loads(compose("--format", "json", env=filled_in()).stdout)["networks"]
    assert {name for name, network in networks.items() if network.get("internal")} == {"data", "queue"}
    assert set(services["postgres"]["networks"]) == {"data"}
    assert set(services["rabbitmq"]["networks"]) == {"queue"}


def test_every_service_gives_up_what_it_does_not_need(services):
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert re.search(r":v?\d+\.\d+\.\d+|:\d+\.\d+-", service["image"]), name
    assert services["caddy"]["cap_add"] == ["NET_BIND_SERVICE"]


def test_nothing_of_ours_starts_before_the_database_is_migrated(services):
    for name in OURS - {"migrate"}:
        waits = services[name]["depends_on"]
        assert waits["migrate"]["condition"] == "service_completed_successfully", name
        assert waits["postgres"]["condition"] == "service_healthy", name
    assert "collectstatic" in services["migrate"]["command"][-1]
    assert services["migrate"]["restart"] == "no"


def test_every_long_running_service_but_the_gpu_worker_has_a_health_check(services):
    checked = {name for name, service in services.items() if service.get("healthcheck", {}).get("test")}
    assert checked == set(services) - {"gpu", "migrate"}


def test_compose_lint_has_nothing_to_say():
    done = run(BIN / "compose-lint", "check", "--fail-on", "low", "--strict-config", COMPOSE, cwd=ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["Dockerfile", "Dockerfile.engines"])
def test_hadolint_has_nothing_to_say(name):
    done = run(BIN / "hadolint", "--failure-threshold", "style", ROOT / "deploy" / name)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("name", ["Dockerfile", "Dockerfile.engines"])
def test_what_an_image_copies_is_there_and_not_ignored(name):
    copies = re.findall(r"^COPY (?!--from)(.+)", (ROOT / "deploy" / name).read_text(), re.MULTILINE)
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for source in (word for copy in copies for word in copy.split()[:-1]):
        assert (ROOT / source).exists(), source
        assert {source, source.split("/")[0]} & allowed, source


def test_the_images_hold_neither_tests_nor_secrets():
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert not allowed & {"tests", ".env", ".git", ".data", "compose.yaml"}


def test_the_production_lock_is_part_of_the_lock_that_was_tested():
    pins = [set(re.findall(r"^(\S+==\S+)", path.read_text(), re.MULTILINE)) for path in locks("web", "app", "dev")]
    assert pins[0]
    assert pins[0] <= pins[1] <= pins[2]


def locks(*names):
    return [ROOT / "requirements" / f"{name}.lock" for name in names]


def test_django_finds_nothing_to_improve_under_the_production_settings(services):
    environment = services["web"]["environment"]
    check = [sys.executable, "-W", "error", "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = run(*check, env=environment | {"SECRET_KEY": "k3Y" + os.urandom(40).hex()}, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def test_the_web_health_check_asks_as_the_proxy_would(services):
    test = services["web"]["healthcheck"]["test"]
    assert test == ["CMD", "python", "check_web.py"]
    assert (ROOT / "deploy" / "check_web.py").is_file()
