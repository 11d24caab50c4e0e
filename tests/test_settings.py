"""Settings from the environment, and their page."""

import ast
import functools
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from webapp.env import Env, database_from_url
from webapp.secrets import identity_key, key_from_file, secret_key
from webapp.stack.paths import SOCKET_PATH_BYTES, runtime_dir

ROOT = Path(__file__).resolve().parent.parent
READERS = {"text", "flag", "number", "words", "get", "getenv", "setdefault"}
# Read by others, or set by us for others: no setting of ours.
NOT_OURS = {"DJANGO_SETTINGS_MODULE", "DJANGO_ALLOW_ASYNC_UNSAFE", "OMP_WAIT_POLICY"}


@functools.cache
def names_read_in(path: Path) -> set[str]:
    """Return the names of environment variables that a file reads: NAME in env.text("NAME"), os.environ["NAME"] …"""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in READERS:
            found |= {(ast.unparse(node.func.value), argument) for argument in node.args[:1]}
        elif isinstance(node, ast.Subscript):
            found.add((ast.unparse(node.value), node.slice))
    words = {word.value for subject, word in found if isinstance(word, ast.Constant) and "env" in subject.lower()}
    return {word for word in words if isinstance(word, str) and re.fullmatch("[A-Z][A-Z0-9_]+", word)}


def names_read_under(*folders: str) -> set[str]:
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return set().union(*(names_read_in(path) for path in files)) - NOT_OURS


def names_in_the_page() -> set[str]:
    rows = re.findall(r"^\| (.*?) \|", (ROOT / "docs" / "settings.md").read_text(), flags=re.M)
    return {name for row in rows for name in re.findall(r"`([A-Z][A-Z0-9_]+)`", row)}


def test_page_names_every_setting():
    assert names_read_under("webapp", "annotation", "inference_worker", "bench") - names_in_the_page() == set()


def test_page_names_nothing_that_nobody_reads():
    everywhere = names_read_under("webapp", "annotation", "inference_worker", "bench", "tests")
    in_scripts = set(re.findall("[A-Z_]{4,}", (ROOT / ".ci" / "run").read_text() + (ROOT / "Makefile").read_text()))
    assert names_in_the_page() - everywhere - in_scripts == set()


@pytest.mark.parametrize("word", ["maybe", "2", "tru"])
def test_a_flag_that_is_neither_yes_nor_no_is_named(word):
    with pytest.raises(ImproperlyConfigured, match=f"HTTPS must be 1 or 0, not '{word}'"):
        Env({"HTTPS": word}).flag("HTTPS", default=False)


def test_an_empty_value_counts_as_unset():
    assert Env({"PORT": " "}).number("PORT", 8000) == 8000


def test_a_database_of_another_kind_is_refused():
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL must begin with postgresql://, not mysql"):
        database_from_url("mysql://localhost/x")


def test_database_address_gives_up_all_its_parts():
    found = database_from_url("postgresql://ann%40x:p%2Fw@db.example:5433/study?sslmode=require")
    assert (found["USER"], found["PASSWORD"], found["HOST"], found["PORT"]) == ("ann@x", "p/w", "db.example", "5433")
    assert found["OPTIONS"] == {"sslmode": "require"}


def test_sockets_of_a_deep_directory_go_to_a_short_one(tmp_path):
    deep = tmp_path / ("d" * 100)
    assert runtime_dir(tmp_path) == tmp_path / "run"
    assert len(str(runtime_dir(deep))) < SOCKET_PATH_BYTES - 20
    assert runtime_dir(deep) != runtime_dir(deep / "other")


def test_a_wrong_setting_stops_the_start_with_a_sentence():
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={"PATH": "", "HTTPS": "perhaps"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == "HTTPS must be 1 or 0, not 'perhaps'.\n"


def test_a_key_is_whole_or_not_there_at_all(tmp_path, monkeypatch):
    """Another process looks for the key just before it has its place."""
    seen = []
    link = os.link

    def watched(source, target):
        seen.append(Path(target).exists())
        Path(target).write_text("o" * 50)
        link(source, target)

    monkeypatch.setattr(os, "link", watched)
    assert key_from_file(tmp_path / "secret_key") == "o" * 50
    assert seen == [False]
    assert [file.name for file in tmp_path.iterdir()] == ["secret_key"]


def test_an_empty_file_is_no_key(tmp_path):
    (tmp_path / "identity_key").write_text("\n")
    with pytest.raises(ImproperlyConfigured, match="is empty"):
        identity_key(Env({"DATA_DIR": str(tmp_path)}))


def test_a_key_put_back_by_hand_is_the_same_key_and_private_again(tmp_path):
    file = tmp_path / "identity_key"
    key = key_from_file(file)
    file.write_text(f"{key}\n")
    file.chmod(0o644)
    assert key_from_file(file) == key
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mask", [0o000, 0o277, 0o777])
def test_a_key_is_for_its_owner_alone_whatever_the_umask(tmp_path, mask):
    before = os.umask(mask)
    try:
        key = key_from_file(tmp_path / "identity_key")
    finally:
        os.umask(before)
    assert (tmp_path / "identity_key").stat().st_mode & 0o777 == 0o600
    assert key_from_file(tmp_path / "identity_key") == key


@pytest.mark.parametrize("name", ["SECRET_KEY", "IDENTITY_KEY"])
def test_a_key_that_could_be_guessed_is_refused(tmp_path, name):
    read = {"SECRET_KEY": secret_key, "IDENTITY_KEY": identity_key}[name]
    with pytest.raises(ImproperlyConfigured, match=f"{name} must have 32 characters"):
        read(Env({"DATA_DIR": str(tmp_path), name: "changeme"}))


def test_no_key_is_made_beside_a_database_on_the_network(tmp_path):
    there = Env({"DATA_DIR": str(tmp_path), "DATABASE_URL": "postgresql://us:pw@db.example/study"})
    with pytest.raises(ImproperlyConfigured, match="IDENTITY_KEY must be set where DATABASE_URL names a server"):
        identity_key(there)
    assert not list(tmp_path.iterdir())
    key = identity_key(Env({"DATA_DIR": str(tmp_path), "DATABASE_URL": "postgresql://us@/study?host=%2Frun"}))
    assert identity_key(there) == key
