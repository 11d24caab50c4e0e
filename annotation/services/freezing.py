"""What a launched study shows to annotators, as text that can be hashed, stored and compared."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from django.db.models import Exists, OuterRef, Q

from annotation.models import Comparison, Slot, Study
from annotation.states import ComparisonKind

_SHOWN = (
    "title",
    "scale",
    "offers_both_bad",
    "shuffles_criteria",
    "reason_from_strength",
    "judgements_per_comparison",
    "instructions",
    "guidelines",
    "consent_text",
    "consent_version",
    "contact",
    "payment",
    "language",
    "seed",
)

_STEPS = (
    "device_check",
    "has_instructions",
    "comprehension_attempts",
    "training_needed",
    "check_every",
    "check_kinds",
    "gold_every",
    "repeat_every",
    "minimum_seconds",
)


def frozen_lines(study: Study) -> Iterator[str]:
    """Yield JSON lines: the study's texts and criteria first, then each comparison with the sides of its slots.

    A comparison excluded after launch stays in: it was shown.
    """
    yield _line(_study(study))
    has_slots = Exists(Slot.objects.filter(comparison=OuterRef("pk")))
    is_shown = Q(has_slots, kind=ComparisonKind.MAIN) | Q(kind__in=[ComparisonKind.GOLD, ComparisonKind.TRAINING])
    shown = study.comparisons.filter(is_shown).order_by("pk")
    related = shown.select_related("dialogue", "baseline_response", "treatment_response")
    for comparison in related.prefetch_related("slots").iterator(chunk_size=500):
        yield _line(_comparison(comparison))


def frozen_sha256(study: Study) -> str:
    """Return the SHA-256 of `frozen_lines`, each ended by a newline, in UTF-8."""
    digest = hashlib.sha256()
    for line in frozen_lines(study):
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()


def _study(study: Study) -> dict[str, Any]:
    criteria = study.criteria.values("key", "name", "question", "definition", "position")
    return {**{name: getattr(study, name) for name in _SHOWN}, "criteria": list(criteria), **_steps(study)}


def _steps(study: Study) -> dict[str, Any]:
    """The steps around the main part and the checks, as far as the study has any: what is left out is not there."""
    columns = {column.name: column for column in Study._meta.concrete_fields}
    asked = {name: getattr(study, name) for name in _STEPS if getattr(study, name) != columns[name].get_default()}
    parts: dict[str, list[dict[str, Any]]] = {
        "practice": _rows(study.practice),
        "comprehension": _rows(study.comprehension_questions),
        "closing": _rows(study.closing_questions),
        "gold": [
            {"comparison": str(gold.comparison.code), "criterion": gold.criterion.key, "expected": gold.expected}
            for gold in study.gold_answers.select_related("comparison", "criterion").order_by("pk")
        ],
    }
    return asked | {name: rows for name, rows in parts.items() if rows}


def _rows(rows: Any) -> list[dict[str, Any]]:
    return [{key: value for key, value in row.items() if key not in {"id", "study_id"}} for row in rows.values()]


def _comparison(comparison: Comparison) -> dict[str, Any]:
    dialogue = comparison.dialogue
    is_main = comparison.kind == ComparisonKind.MAIN
    slots = sorted(comparison.slots.all(), key=lambda slot: slot.ordinal) if is_main else []
    return {
        "comparison": str(comparison.code),
        "kind": comparison.kind,
        "social_context": dialogue.social_context,
        "turns": dialogue.turns,
        "next_speaker": dialogue.next_speaker,
        "language": dialogue.language,
        "content_warning": dialogue.content_warning,
        "baseline": comparison.baseline_response.text if comparison.baseline_response else None,
        "treatment": comparison.treatment_response.text if comparison.treatment_response else None,
        "treatment_sides": [slot.treatment_side for slot in slots],
    }


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
