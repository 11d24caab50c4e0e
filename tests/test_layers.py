"""The layers hold: who may import whom, checked in the source and in running processes."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ENGINES = {"torch", "transformers", "vllm", "xllamacpp"}

# Modules of `annotation` that may use Django. All others are pure rules, new ones included.
WITH_DJANGO = {
    *("apps", "forms", "urls", "tasks", "middleware", "templatetags", "models", "services", "admin", "views"),
    *("management", "migrations", "results.load"),
    *("rehearsal.books", "rehearsal.mixed", "rehearsal.running", "rehearsal.setting"),
}

# Each ring may import its own and the ones before it.
RINGS = [
    {"models"},
    {"services", "results.load"},
    {"tasks", "forms", "views", "admin", "middleware", "urls", "templatetags", "management", "rehearsal"},
]


def modules(package: str) -> dict[str, Path]:
    """Return the modules of a package by dotted name."""
    found = {}
    for path in sorted((ROOT / package).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(path: Path) -> set[str]:
    """Return the dotted names that a file imports, at any depth; names imported from a module count as its parts."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports here name the whole path"
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def is_within(name: str, parts: set[str]) -> bool:
    return any(name == part or name.startswith(f"{part}.") for part in parts)


def ring_of(name: str) -> int | None:
    inside = name.removeprefix("annotation.")
    return next((number for number, ring in enumerate(RINGS) if is_within(inside, ring)), None)


def pure_modules() -> list[str]:
    found = [name for name in modules("annotation") if not is_within(name.removeprefix("annotation."), WITH_DJANGO)]
    return [name for name in found if name != "annotation"]


def run(code: str) -> str:
    """Run code in an interpreter of its own and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={**os.environ}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", pure_modules())
def test_pure_module_names_no_django_and_nothing_that_uses_it(name):
    named = imports(modules("annotation")[name])
    assert not {other for other in named if is_within(other, {"django", "celery", "webapp"})}
    assert not {other for other in named if is_within(other, {f"annotation.{part}" for part in WITH_DJANGO})}


def test_pure_modules_load_without_django():
    loaded = run(f"import sys, {', '.join(pure_modules())}\nprint('django' in sys.modules)")
    assert loaded == "False\n"


def test_worker_names_neither_django_nor_the_web_side():
    for name, path in modules("inference_worker").items():
        assert not {o for o in imports(path) if is_within(o, {"django", "annotation", "webapp"})}, name


def test_worker_loads_without_django_database_or_engine():
    names = [name for name in modules("inference_worker") if not name.endswith("__main__")]
    # The message library looks for a Django to serialise its lazy texts; what would run Django is its settings and ORM.
    forbidden = {"django.conf", "django.db", "annotation", "webapp", "psycopg"} | ENGINES
    assert run(f"import sys, {', '.join(names)}\nprint(sorted({forbidden!r} & set(sys.modules)))") == "[]\n"


@pytest.mark.parametrize("package", ["annotation", "webapp"])
def test_web_side_knows_of_the_worker_its_contract_alone(package):
    for name, path in modules(package).items():
        known = {other for other in imports(path) if is_within(other, {"inference_worker"})}
        assert all(is_within(other, {"inference_worker.schema"}) for other in known - {"inference_worker"}), name
        assert not ENGINES & {other.split(".")[0] for other in imports(path)}, name


def test_inner_rings_do_not_know_outer_ones():
    for name, path in modules("annotation").items():
        ring = ring_of(name)
        if ring is None:
            continue
        outer = {other for other in imports(path) if (found := ring_of(other)) is not None and found > ring}
        assert not {other for other in outer if other.startswith("annotation.")}, name


def test_annotation_does_not_know_the_site():
    for name, path in modules("annotation").items():
        assert not {other for other in imports(path) if is_within(other, {"webapp"})}, name


def test_web_process_loads_no_engine():
    names = [name for name in modules("annotation") if ".migrations." not in name and not name.endswith("__main__")]
    code = (
        "import sys, webapp.wsgi\n"
        "from django.urls import get_resolver\n"
        "get_resolver().url_patterns\n"
        f"import {', '.join(names)}\n"
        f"print(sorted({ENGINES!r} & set(sys.modules)))"
    )
    assert run(code) == "[]\n"
