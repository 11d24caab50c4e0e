"""Settings from the environment, and their page."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from webapp.env import Env, database_from_url
from webapp.stack.paths import SOCKET_PATH_BYTES, runtime_dir

ROOT = Path(__file__).resolve().parent.parent
READERS = {"text", "flag", "number", "words", "get", "getenv", "setdefault"}
# Read by others, or set by us for others: no setting of ours.
NOT_OURS = {"DJANGO_SETTINGS_MODULE", "DJANGO_ALLOW_ASYNC_UNSAFE", "OMP_WAIT_POLICY"}


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
