"""`manage.py up`: what starts, what stops it, and what it says when it cannot start."""

import os
import shutil
import signal
import socket
import subprocess
import time

import pytest

from tests.stack.running import Up, still_running
from webapp.env import database_from_url
from webapp.stack.paths import SOCKET_PATH_BYTES, database_url, runtime_dir

pytestmark = pytest.mark.stack


@pytest.fixture
def data_dir(tmp_path):
    return tmp_path / "data"


@pytest.fixture(scope="module")
def used(tmp_path_factory):
    """What one start and stop leaves behind: the database is made and brought up to date, which takes longest."""
    made = tmp_path_factory.mktemp("used") / "data"
    with Up(made) as up:
        up.wait_until_ready()
    return made


@pytest.fixture
def used_dir(used, data_dir):
    """A data directory of the test's own in which a stack has run before."""
    return shutil.copytree(used, data_dir, ignore=shutil.ignore_patterns("run", "logs"))


def test_kill_9_leaves_no_process_and_the_next_start_has_the_data_in_under_10_s(used_dir):
    with Up(used_dir) as up:
        usual = up.wait_until_ready()
        family = up.descendants()
        assert len([line for line in family if "granian" in line]) >= 2, "a server and its worker process"
        password = (used_dir / "admin_password").read_text()
        up.process.kill()
        assert still_running(family.values(), seconds=5) == []
    with Up(used_dir, port=up.port) as again:
        # A busy machine starts slowly whatever there is to mend.
        assert again.wait_until_ready() < max(10, 2 * usual)
        assert password.strip() in again.words() or wait_for_words(again, password.strip())


def wait_for_words(up, words, seconds=20):
    until = time.monotonic() + seconds
    while words not in up.words() and time.monotonic() < until:
        time.sleep(0.1)
    return words in up.words()


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, *(pytest.param(each, marks=pytest.mark.long) for each in (signal.SIGINT, signal.SIGHUP))]
)
def test_a_signal_stops_every_child_and_grandchild_within_5_s(used_dir, number):
    with Up(used_dir) as up:
        up.wait_until_ready()
        family = up.descendants()
        began = time.monotonic()
        up.process.send_signal(number)
        assert up.wait_until_it_ends() == 0
        assert time.monotonic() - began < 5
        assert still_running(family.values(), seconds=0.1) == []
        assert up.words().endswith("Stopped.\n")


def test_ctrl_c_while_starting_leaves_nothing_behind(data_dir):
    with Up(data_dir) as up:
        while not (data_dir / "postgres").exists():
            time.sleep(0.01)
        family = up.descendants()
        up.process.send_signal(signal.SIGINT)
        assert up.wait_until_it_ends() == 0
        assert still_running(family.values(), seconds=1) == []


@pytest.mark.long
@pytest.mark.parametrize("part", ["valkey-server", "postgres -D", "webapp.celery worker", "granian"])
def test_a_child_that_is_killed_is_started_again(used_dir, part):
    with Up(used_dir) as up:
        up.wait_until_ready()
        victim = up.find(part)
        victim.kill()
        until = time.monotonic() + 20
        while time.monotonic() < until:
            lines = up.descendants()
            if any(part in line and process.pid != victim.pid for line, process in lines.items()):
                break
            time.sleep(0.1)
        assert wait_until(lambda: up.status() == 200)
        assert "SIGKILL" in up.words()


def wait_until(is_so, seconds=20):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if is_so():
                return True
        except OSError:
            pass
        time.sleep(0.2)
    return False


def test_the_model_worker_knows_neither_database_nor_signing_key(used_dir):
    with Up(used_dir, SECRET_KEY="s" * 60) as up:
        up.wait_until_ready()
        environ = up.find("inference_worker").environ()
        assert "BROKER_URL" in environ
        assert not {"DATABASE_URL", "SECRET_KEY", "DATA_DIR"} & set(environ)
        assert "SECRET_KEY" in up.find("webapp.celery worker").environ()


def test_a_second_stack_over_the_same_data_is_refused(used_dir):
    with Up(used_dir) as up:
        up.wait_until_ready()
        with Up(used_dir) as second:
            assert second.wait_until_it_ends() == 1
        assert f"in use by another Duologue (process {up.process.pid})" in second.words()
        assert up.status() == 200


def test_a_taken_port_is_named_with_one_that_is_free(data_dir):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with Up(data_dir, port=port) as up:
            assert up.wait_until_it_ends() == 1
    assert f"Port {port} is taken by another program. Choose another, for example PORT=" in up.words()
    assert "Traceback" not in up.words()


@pytest.mark.parametrize("port", ["0", "65536", "eighty"])
def test_a_port_that_is_no_port_is_refused(data_dir, port):
    with Up(data_dir, PORT=port) as up:
        assert up.wait_until_it_ends() == 1
    assert "PORT must be a" in up.words()
    assert "Traceback" not in up.words()


def test_data_of_another_postgresql_is_refused_and_left_alone(data_dir):
    cluster = data_dir / "postgres" / "cluster"
    cluster.mkdir(parents=True)
    (cluster / "PG_VERSION").write_text("16\n")
    with Up(data_dir) as up:
        assert up.wait_until_it_ends() == 1
    assert "was made by PostgreSQL 16, and this installation ships PostgreSQL 18" in up.words()
    assert [path.name for path in cluster.iterdir()] == ["PG_VERSION"]
    assert "Traceback" not in up.words()


def test_a_data_directory_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "data").write_text("")
    with Up(tmp_path / "data") as up:
        assert up.wait_until_it_ends() == 1
    assert "cannot be used" in up.words()
    assert "Traceback" not in up.words()


def test_a_data_directory_where_nobody_may_write_is_refused(tmp_path):
    with Up(tmp_path / "data", DATA_DIR="/proc/1/data") as up:
        assert up.wait_until_it_ends() == 1
    assert "The data directory /proc/1/data cannot be used" in up.words()
    assert "Traceback" not in up.words()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_a_full_disk_is_named(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        with Up(disk / "data") as up:
            assert up.wait_until_it_ends() == 1
        assert f"The disk of {disk / 'data'} is full" in up.words()
        assert "Traceback" not in up.words()
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.mark.long
def test_a_path_too_long_for_sockets_works_all_the_same(tmp_path):
    data_dir = tmp_path / ("long " * 10 + "%41#?") / ("path" * 12)
    assert len(str(data_dir / "run")) > SOCKET_PATH_BYTES
    with Up(data_dir) as up:
        up.wait_until_ready()
        assert up.status() == 200
        assert runtime_dir(data_dir).exists()
    assert not runtime_dir(data_dir).exists(), "nothing is left in the shared directory"


@pytest.mark.long
def test_a_path_with_signs_of_urls_in_it_works(tmp_path):
    data_dir = tmp_path / "a b%41#?&c"
    assert database_from_url(database_url(data_dir))["HOST"] == str(runtime_dir(data_dir))
    with Up(data_dir) as up:
        up.wait_until_ready()
        assert wait_until(lambda: "ready" in (data_dir / "logs" / "worker.log").read_text())


def test_the_admin_password_is_readable_by_its_owner_alone(used):
    assert (used / "admin_password").stat().st_mode & 0o777 == 0o600
    assert (used / "secret_key").stat().st_mode & 0o777 == 0o600
    assert used.stat().st_mode & 0o777 == 0o700
