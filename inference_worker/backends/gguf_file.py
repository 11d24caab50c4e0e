"""Read the head of a GGUF file: what the model is, whether it has a chat template, how long its context may be.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (versions 2 and 3, little endian).
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

_MAGIC = b"GGUF"
_STRING, _ARRAY = 8, 9
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
# A key, a template or an array larger than this is a damaged file, not a model.
_MOST = 1 << 28


class NotGguf(ValueError):
    """The file is not a readable GGUF file."""


@dataclass(frozen=True)
class GgufHead:
    """What a GGUF file says about its model; 0 where it does not say.

    `context_length` is in tokens, `bytes_per_token` what one token takes in the cache of keys and values at 16 bits.
    """

    name: str
    architecture: str
    context_length: int
    chat_template: str = ""
    bytes_per_token: int = 0


def read_head(path: Path) -> GgufHead:
    """Return the head of a GGUF file. Raises NotGguf, and OSError where the file cannot be opened."""
    with path.open("rb") as file:
        try:
            return _head(path, _metadata(file))
        except NotGguf:
            raise
        except (struct.error, ValueError, TypeError, KeyError, RecursionError) as damage:
            raise NotGguf(f"{path} is damaged: its head cannot be read.") from damage


def _head(path: Path, metadata: dict[str, Any]) -> GgufHead:
    architecture = str(metadata.get("general.architecture", ""))
    return GgufHead(
        name=str(metadata.get("general.name", path.stem)),
        architecture=architecture,
        context_length=int(metadata.get(f"{architecture}.context_length", 0)),
        chat_template=str(metadata.get("tokenizer.chat_template") or ""),
        bytes_per_token=_bytes_per_token(metadata, architecture),
    )


def _bytes_per_token(metadata: dict[str, Any], architecture: str) -> int:
    """Return the size of a key and a value, of two bytes a number, in every block and head."""

    def number(name: str, usual: int = 0) -> int:
        return int(metadata.get(f"{architecture}.{name}", usual))

    heads = number("attention.head_count")
    if not heads:
        return 0
    width = number("attention.key_length", number("embedding_length") // heads)
    # Where blocks differ, the file holds an array, of which only the length is kept here.
    return 2 * 2 * number("block_count") * min(number("attention.head_count_kv", heads), heads) * width


def _metadata(file: BinaryIO) -> dict[str, Any]:
    magic, version, _tensors, count = struct.unpack("<4sIQQ", file.read(24))
    if magic != _MAGIC or version not in (2, 3):
        raise NotGguf(f"{file.name} is not a GGUF file (version 2 or 3).")
    return {_string(file): _value(file, _number(file, "I")) for _ in range(count)}


def _value(file: BinaryIO, kind: int) -> Any:
    if kind == _STRING:
        return _string(file)
    if kind == _ARRAY:
        return _skip_array(file)
    return _number(file, _SCALARS[kind])


def _skip_array(file: BinaryIO) -> int:
    """Pass over an array (vocabularies are long, and nothing here needs one) and return its length."""
    kind, length = _number(file, "I"), _number(file, "Q")
    if length > _MOST:
        raise NotGguf(f"{file.name} is damaged: its head holds an array of {length} parts.")
    if kind in (_STRING, _ARRAY):
        for _ in range(length):
            _value(file, kind)
    else:
        file.seek(length * struct.calcsize("<" + _SCALARS[kind]), 1)
    return int(length)


def _string(file: BinaryIO) -> str:
    length = _number(file, "Q")
    if length > _MOST:
        raise NotGguf(f"{file.name} is damaged: its head holds a text of {length} bytes.")
    return file.read(length).decode()


def _number(file: BinaryIO, code: str) -> Any:
    size = struct.calcsize("<" + code)
    return struct.unpack("<" + code, file.read(size))[0]
