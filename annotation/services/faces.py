"""What annotators see of a frozen study and of its comparisons: read once per process, for it cannot change."""

import json
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from annotation.models import Comparison, Study
from annotation.services.statements import row
from annotation.states import ComparisonKind


class Face(NamedTuple):
    """The words of a study, as its annotators read them. `comparisons` is how many one person judges at the most,
    and `language` a language tag, or empty where the pages follow the annotator's browser."""

    code: UUID
    title: str
    instructions: str
    guidelines: str
    consent_text: str
    consent_version: str
    contact: str
    payment: str
    comparisons: int
    seconds_per_comparison: int
    language: str

    @property
    def home(self) -> str:
        """The address under which all pages of the study lie."""
        return f"/s/{self.code}/"

    def minutes(self, comparisons: int) -> int:
        """Return how long so many comparisons take, rounded up."""
        return -(-comparisons * self.seconds_per_comparison // 60)


def read_face(study: Study) -> Face:
    """Read the words of any study, a draft included."""
    comparisons = study.comparisons.filter(excluded_at=None).exclude(kind=ComparisonKind.REPEAT).count()
    return Face(
        code=study.code,
        title=study.title,
        instructions=study.instructions,
        guidelines=study.guidelines or study.instructions,
        consent_text=study.consent_text,
        consent_version=study.consent_version,
        contact=study.contact,
        payment=study.payment,
        comparisons=min(study.quota_per_annotator, comparisons) if comparisons else study.quota_per_annotator,
        seconds_per_comparison=study.seconds_per_comparison,
        language=study.language,
    )


@lru_cache(maxsize=256)
def frozen_face(study_id: int, sha256: str) -> Face:
    """Return the words of a launched study. The hash is part of the key, so that no other study's words are met."""
    return read_face(Study.objects.get(pk=study_id))


class Pair(NamedTuple):
    """A dialogue and the two replies as one annotator sees them: by side, never by agent."""

    social_context: str
    turns: list[dict[str, str]]
    next_speaker: str
    content_warning: str
    language: str
    left: str
    right: str

    def swapped(self) -> "Pair":
        """Return the same pair with its replies in each other's place."""
        return self._replace(left=self.right, right=self.left)


_PAIR = """
SELECT d.social_context, d.turns, d.next_speaker, d.content_warning, d.language, b.text, t.text
FROM annotation_comparison c
JOIN annotation_dialogue d ON d.id = c.dialogue_id
LEFT JOIN annotation_response b ON b.id = c.baseline_response_id
LEFT JOIN annotation_response t ON t.id = c.treatment_response_id
WHERE c.id = %(comparison)s
"""


def read_pair(comparison_id: int, *, is_flipped: bool) -> Pair:
    """Read what stands on the screen; flipped means that the treatment stands left."""
    found = row(_PAIR, {"comparison": comparison_id})
    if found is None:
        raise Comparison.DoesNotExist(comparison_id)
    context, turns, next_speaker, warning, language, baseline, treatment = found
    pair = Pair(
        social_context=context,
        turns=json.loads(turns),
        next_speaker=next_speaker,
        content_warning=warning,
        language=language,
        left=baseline or "",
        right=treatment or "",
    )
    return pair.swapped() if is_flipped else pair
