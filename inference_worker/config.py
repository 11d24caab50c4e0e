"""What a worker is started with: the model from the command line or the environment, the broker from the environment.

Models that the registry starts out with are known by their slug alone (models.json); for others name the backend and
the source. Options of the engine are `--option name=value`; `MODEL_SPEC` holds all of it as JSON, for containers.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

from kombu.transport import TRANSPORT_ALIASES

from inference_worker.backends import BACKENDS, EngineError
from inference_worker.schema import ModelSpec, SchemaError, from_json


@dataclass(frozen=True)
class Config:
    """A worker's settings."""

    spec: ModelSpec
    broker_url: str


def read_config(arguments: Sequence[str], environment: Mapping[str, str]) -> Config:
    """Return the settings. Raises EngineError with a sentence that says what to set."""
    flags = _parser().parse_args(arguments)
    broker_url = environment.get("BROKER_URL", "").strip()
    if not broker_url:
        raise EngineError(
            "BROKER_URL is not set: give the address of the broker, like amqp://user:password@host:5672/."
        )
    _check_broker(broker_url)
    return Config(_with_flags(_base_spec(flags, environment), flags), broker_url)


def known_models() -> dict[str, dict[str, Any]]:
    """Return backend and source of the models that are known by their slug."""
    text = resources.files("inference_worker").joinpath("models.json").read_text(encoding="utf-8")
    found: dict[str, dict[str, Any]] = json.loads(text)
    return found


def _check_broker(url: str) -> None:
    """Raise EngineError where this cannot be an address. It may hold a password, so it is not repeated."""
    try:
        parts = urlsplit(url)
        is_address = parts.scheme.partition("+")[0] in TRANSPORT_ALIASES and "://" in url and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address:
        raise EngineError(
            "BROKER_URL is no address of a broker: give it like amqp://user:password@host:5672/ or redis://host:6379/0."
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m inference_worker", description="Serve one model: take its batches, send back texts."
    )
    parser.add_argument("--model", metavar="SLUG", help="the model's slug in the registry; it names the queue")
    parser.add_argument("--backend", choices=BACKENDS, help="the engine")
    parser.add_argument("--source", help="hub id, path, packaged:NAME, or the name of an endpoint")
    parser.add_argument("--revision", help="commit on the hub, to pin the weights")
    parser.add_argument(
        "--option", action="append", default=[], metavar="NAME=VALUE", help="an option of the engine; may be repeated"
    )
    return parser


def _base_spec(flags: argparse.Namespace, environment: Mapping[str, str]) -> ModelSpec:
    if text := environment.get("MODEL_SPEC", "").strip():
        try:
            return from_json(ModelSpec, json.loads(text))
        except (ValueError, SchemaError) as problem:
            raise EngineError(f"MODEL_SPEC is not the JSON of a model: {problem}") from problem
    if not flags.model:
        raise EngineError("Say which model to serve: --model SLUG, as it stands in the registry.")
    known = known_models().get(flags.model, {})
    return ModelSpec(flags.model, known.get("backend", ""), known.get("source", ""), options=known.get("options", {}))


def _with_flags(spec: ModelSpec, flags: argparse.Namespace) -> ModelSpec:
    given = {"slug": flags.model, "backend": flags.backend, "source": flags.source, "revision": flags.revision}
    spec = replace(spec, **{name: value for name, value in given.items() if value is not None})
    if not spec.backend or not spec.source:
        raise EngineError(
            f"{spec.slug} is none of the models that are known by name: add --backend and --source as in the registry."
        )
    return replace(spec, options={**spec.options, **dict(_option(text) for text in flags.option)})


def _option(text: str) -> tuple[str, Any]:
    """Read `name=value`; the value is JSON where it can be, else a text."""
    name, sign, value = text.partition("=")
    if not name or not sign:
        raise EngineError(f"The option {text!r} must have the form name=value.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
