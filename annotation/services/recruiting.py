"""A study on its platform: its set-up, who may come in, the codes of its exits, and where each exit leads."""

import secrets
from collections.abc import Mapping, Sequence
from enum import StrEnum

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from annotation.models import ExitCode, Recruitment, Study
from annotation.platforms import PLATFORMS, Platform, Setup, Visitor, WayOut
from annotation.platforms.protocol import ENDS_ELSEWHERE
from annotation.services import places
from annotation.services.actors import Actor
from annotation.services.identities import find_enrolled, is_excluded, sealer
from annotation.services.sealed_tokens import verifier
from annotation.services.trail import record
from annotation.states import Exit

_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""No letter or digit that a person copying it by hand could take for another."""

CODE_LENGTH = 10


class Gate(StrEnum):
    """Whether somebody may read the consent page. STRANGER: the platform's link did not bring them.

    NO_BATCH: the study counts people by platform batch, and this link is of none.
    """

    OPEN = "open"
    STRANGER = "stranger"
    KNOWN = "known"
    EXCLUDED = "excluded"
    NO_BATCH = "no batch"
    FULL = "full"


def random_code(length: int = CODE_LENGTH) -> str:
    """Return a random code that is easy to copy and cannot be guessed from another one."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def recruitment_of(study: Study) -> Recruitment:
    """Return how people come to a study; for a study that does not say, an open link. Rehearsals are always open."""
    found = None if study.is_rehearsal else Recruitment.objects.filter(study=study).first()
    return found or Recruitment(study=study)


def platform_of(study: Study) -> Platform:
    """Return the platform of a study."""
    return PLATFORMS[recruitment_of(study).platform]


def setup_of(recruitment: Recruitment) -> Setup:
    """Return what a platform needs to know about a study."""
    codes = recruitment.exit_codes.values_list("exit", "code") if recruitment.pk else []
    return Setup(
        id_parameter=recruitment.id_parameter,
        submission_parameter=recruitment.submission_parameter,
        study_parameter=recruitment.study_parameter,
        platform_study_id=recruitment.platform_study_id,
        requires_signed_entry=recruitment.requires_signed_entry,
        token_parameter=recruitment.token_parameter,
        audience=recruitment.audience,
        completion_address=recruitment.completion_address,
        partial_address=recruitment.partial_address,
        return_address=settings.PROLIFIC_RETURN_URL,
        sona_host=recruitment.sona_host,
        sona_experiment=recruitment.sona_experiment,
        has_credit_token=bool(recruitment.sealed_credit_token),
        is_https=settings.HTTPS,
        codes={Exit(how): code for how, code in codes if code},
    )


def read_entry(study: Study, query: Mapping[str, str]) -> Visitor:
    """Return whom a link brings. Stores nothing. Raises: BadEntry."""
    recruitment = recruitment_of(study)
    platform = PLATFORMS[recruitment.platform]
    return platform.read_entry(query, setup_of(recruitment), verifier(study, recruitment))


def gate(study: Study, visitor: Visitor | None) -> Gate:
    """Say whether a visitor may read the consent page. Stores nothing."""
    recruitment = recruitment_of(study)
    if recruitment.platform != "open" and (visitor is None or visitor.platform != recruitment.platform):
        return Gate.STRANGER
    if visitor and recruitment.platform == "invitation" and _is_revoked(study, visitor):
        return Gate.STRANGER
    if visitor and find_enrolled(study, visitor):
        return Gate.KNOWN
    if visitor and is_excluded(study, visitor):
        return Gate.EXCLUDED
    try:
        batch = places.batch_of(study, visitor)
    except places.NoSuchBatch:
        return Gate.NO_BATCH
    return Gate.FULL if places.is_full(study, batch) else Gate.OPEN


def _is_revoked(study: Study, visitor: Visitor) -> bool:
    """Whether a personal link was revoked while its person read the consent text."""
    return not study.invitations.filter(code=visitor.person, revoked_at=None).exists()


def way_out(study: Study, how: Exit, code: str = "") -> WayOut:
    """Return where an exit leads. Without a code of the person, the exit's own one counts."""
    recruitment = recruitment_of(study)
    platform, setup = PLATFORMS[recruitment.platform], setup_of(recruitment)
    return platform.way_out(how, setup, code or setup.codes.get(how, ""))


def shows_code(study: Study) -> bool:
    """Whether people who complete the study read a code on its last page."""
    return bool(way_out(study, Exit.COMPLETED, code_for(study, Exit.COMPLETED)).code)


def code_for(study: Study, how: Exit) -> str:
    """Return the code for somebody who goes by this exit: a new one, or the study's for this exit."""
    if how in ENDS_ELSEWHERE:
        return ""
    recruitment = recruitment_of(study)
    if PLATFORMS[recruitment.platform].has_personal_codes:
        return random_code()
    return setup_of(recruitment).codes.get(how, "")


def entry_query(study: Study) -> str:
    """Return what follows a study's address in the link that brings people to it."""
    recruitment = recruitment_of(study)
    return PLATFORMS[recruitment.platform].entry_query(setup_of(recruitment))


@transaction.atomic
def save_recruitment(
    recruitment: Recruitment, *, token: str = "", changed: Sequence[str] = (), actor: Actor = None
) -> Recruitment:
    """Store the settings, and a token sealed; the trail names the fields and no value of them."""
    if token:
        recruitment.sealed_credit_token = sealer().seal(token, now=timezone.now())
    recruitment.save()
    record(recruitment.study, "recruitment", actor=actor, platform=recruitment.platform, fields=list(changed))
    return recruitment


def fill_codes(recruitment: Recruitment) -> None:
    """Make a random code for each row whose code was left empty."""
    for row in recruitment.exit_codes.filter(code=""):
        row.code = random_code()
        row.save(update_fields=["code"])


def note_codes(recruitment: Recruitment, exits: Sequence[str], *, actor: Actor) -> None:
    """Write down whose codes were changed, and no code."""
    if exits:
        record(recruitment.study, "exit codes", actor=actor, exits=list(exits))


@transaction.atomic
def make_codes(recruitment: Recruitment, *, actor: Actor) -> list[ExitCode]:
    """Give every exit that ends here a random code, where it has none yet. Returns the new ones."""
    fill_codes(recruitment)
    there = set(recruitment.exit_codes.values_list("exit", flat=True))
    lacking = [how for how in Exit if how not in ENDS_ELSEWHERE and how not in there]
    note_codes(recruitment, lacking, actor=actor)
    return ExitCode.objects.bulk_create(
        ExitCode(recruitment=recruitment, exit=how, code=random_code()) for how in lacking
    )


@transaction.atomic
def remove_recruitment(recruitment: Recruitment, *, actor: Actor) -> None:
    """Let a study be open to everybody who has its link."""
    record(recruitment.study, "recruitment removed", actor=actor, platform=recruitment.platform)
    recruitment.delete()


def problems(study: Study) -> list[str]:
    """Return, in sentences, what is missing before people can come through the study's platform."""
    recruitment = recruitment_of(study)
    found = PLATFORMS[recruitment.platform].problems(setup_of(recruitment))
    return found + _unreachable(recruitment)


def _unreachable(recruitment: Recruitment) -> list[str]:
    """Say which batches nobody can come to, because links of all other studies at the platform are refused."""
    only = recruitment.platform_study_id
    if not only or not recruitment.pk:
        return []
    names = recruitment.batches.exclude(key__in=["", only]).values_list("name", flat=True)
    return [
        f"Nobody can come to the batch “{name}”: links of other studies than {only} are refused. Leave the study's id "
        "at the platform empty, the batches say which links are welcome."
        for name in names
    ]
