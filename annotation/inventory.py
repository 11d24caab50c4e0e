"""What is stored about the people who take part: every column, why it is there and for how long. Pure: no Django.

A test holds it to the tables, so that nobody adds a column about people without saying so here. It is shown on the
researchers' page "What we store" and in docs/privacy.md.
"""

from typing import NamedTuple

WITH_STUDY = "as long as the study; deleted when the person has it erased"
WITH_STUDY_KEPT = "as long as the study"
UNTIL_RETENTION = "until so many days after the study is closed as its recruitment page says (60), or erasure"
WITH_THE_HASH = "as long as the study: it keeps one person from coming twice"


class Stored(NamedTuple):
    """Some columns of one table that are there for the same reason."""

    table: str
    columns: tuple[str, ...]
    what: str
    why: str
    how_long: str


INVENTORY: tuple[Stored, ...] = (
    Stored(
        "Annotator",
        ("id", "study", "code", "pseudonym"),
        "random names of a person in one study",
        "to find their work again; the pseudonym stands in exports, and differs in every study",
        WITH_STUDY_KEPT,
    ),
    Stored(
        "Annotator",
        ("platform", "platform_hash"),
        "where they came from; a keyed hash of platform, study and id",
        "so that one person takes part once",
        WITH_THE_HASH,
    ),
    Stored(
        "Annotator",
        ("batch",),
        "the platform batch with which they came",
        "to count the places of each batch",
        WITH_STUDY_KEPT,
    ),
    Stored("Annotator", ("is_simulated",), "whether it is a simulated person", "rehearsals", WITH_STUDY_KEPT),
    Stored(
        "Annotator",
        ("consent_version", "consent_sha256", "consented_at"),
        "which consent text, and when",
        "proof of consent",
        WITH_STUDY_KEPT,
    ),
    Stored(
        "Annotator",
        (
            "instructed_at",
            "message_seen",
            "seed",
            "left_balance",
            "submitted_count",
            "last_submitted_id",
            "last_dialogue_id",
        ),
        "how far they are",
        "to go on where they left off",
        WITH_STUDY_KEPT,
    ),
    Stored(
        "Annotator",
        ("exit", "exited_at", "completion_code"),
        "how and when their part ended, and the code",
        "payment",
        WITH_STUDY_KEPT,
    ),
    Stored(
        "Annotator",
        ("excluded_reason", "excluded_at"),
        "whether and why their judgements do not count",
        "results that can be checked; the reason is emptied by erasure",
        WITH_STUDY_KEPT,
    ),
    Stored("Annotator", ("feedback",), "what they wrote at the end", "to mend what is wrong", WITH_STUDY),
    Stored(
        "Assignment",
        (
            "id",
            "slot",
            "annotator",
            "comparison",
            "state",
            "code",
            "number",
            "claimed_at",
            "lease_until",
            "submitted_at",
            "corrected_at",
        ),
        "which comparison they had, and when",
        "nobody judges twice, and places come back",
        WITH_STUDY_KEPT,
    ),
    Stored(
        "Assignment",
        ("draft", "active_ms", "blurs"),
        "unfinished answers; seconds at the page, times it was left",
        "nothing is lost; the pace is shown to researchers",
        WITH_STUDY,
    ),
    Stored(
        "Judgement",
        ("id", "assignment", "criterion", "outcome", "grade", "treatment_side", "reason"),
        "what they judged, and why if they said so",
        "the purpose of the study",
        WITH_STUDY,
    ),
    Stored(
        "CheckResult",
        ("id", "assignment", "annotator", "kind", "name", "answer", "is_passed"),
        "answers to checks",
        "to see who reads",
        WITH_STUDY,
    ),
    Stored(
        "StepAttempt",
        ("id", "annotator", "step", "number", "is_right", "answers", "at"),
        "answers before and after the main part",
        "comprehension, training, closing questions",
        WITH_STUDY,
    ),
    Stored(
        "ProblemReport",
        ("id", "study", "assignment", "text", "created_at", "resolved_at"),
        "what they said is wrong",
        "to mend it",
        WITH_STUDY,
    ),
    Stored(
        "PayDecision",
        ("message",),
        "the team's words to them about their pay",
        "to tell the platform, and to answer questions afterwards",
        WITH_STUDY,
    ),
    Stored(
        "PayDecision",
        ("id", "annotator", "decision", "bonus", "decided_by", "decided_at"),
        "what the team decided about their pay, who and when",
        "nobody is paid twice; a rejection is deleted with what it rests on when the person has it erased",
        WITH_STUDY_KEPT,
    ),
    Stored(
        "Event",
        ("id", "study", "actor", "verb", "detail", "at"),
        "what the team did about a person, who and when, under the pseudonym, with the reason",
        "every change of a study can be followed",
        "as long as the study; the reason is deleted when the person has it erased",
    ),
    Stored(
        "StoredReport",
        (
            "id",
            "study",
            "filters_sha256",
            "fingerprint",
            "content",
            "reason",
            "seconds",
            "people",
            "computed_at",
            "ordered_at",
        ),
        "figures of everybody's answers, under pseudonyms",
        "pages open at once",
        "until judgements change; emptied when a person has theirs erased",
    ),
    Stored(
        "StoredBundle",
        (
            "id",
            "study",
            "ordered_at",
            "ordered_by",
            "started_at",
            "problem",
            "name",
            "sha256",
            "size",
            "made_at",
            "expires_at",
        ),
        "who ordered the file of a large study, and when",
        "it is made once, by a worker",
        "as long as the study",
    ),
    Stored(
        "BundlePiece",
        ("id", "bundle", "number", "content"),
        "the file itself: judgements under pseudonyms",
        "download",
        "a week; deleted when a person of the study has theirs erased",
    ),
    Stored(
        "PlatformIdentity",
        ("id", "annotator", "platform", "person_hash", "submission_hash"),
        "keyed hashes of the platform's ids, apart from judgements",
        "exclusion lists, events of the platform; look-up alone",
        WITH_THE_HASH,
    ),
    Stored(
        "PlatformIdentity",
        ("sealed_person", "sealed_submission"),
        "the platform's ids, encrypted",
        "review and payment",
        UNTIL_RETENTION,
    ),
    Stored(
        "PlatformIdentity",
        ("status", "status_at", "erased_at"),
        "what the platform says; when ids were erased",
        "payment",
        WITH_STUDY_KEPT,
    ),
    Stored(
        "PlatformMessage",
        ("id", "identity", "deed", "body", "created_at", "attempts", "next_at", "sent_at", "failed_at", "problem"),
        "what the platform was told",
        "credit and decisions",
        "until the readable ids are erased",
    ),
    Stored(
        "PlatformEvent",
        ("id", "platform", "event", "signature", "kind", "submission_hash", "status", "happened_at", "received_at"),
        "events of the platform, with hashed ids",
        "a copy must change nothing",
        "180 days",
    ),
    Stored(
        "Invitation",
        ("id", "study", "code", "number", "created_by", "created_at", "expires_at", "revoked_at"),
        "random codes of personal links; no names",
        "one link, one person",
        UNTIL_RETENTION,
    ),
)

NEVER = (
    "Names, e-mail addresses, birth dates, network addresses and the names of browsers are not stored. Before consent "
    "nothing is stored at all: what a platform's link brings along waits encrypted in the visitor's own browser, for "
    "two hours at most."
)
