"""What can be done to a study with one button. Each calls one service and says what came of it."""

from django.utils import timezone

from annotation.admin.asking import RowAction
from annotation.models import Study
from annotation.presets import PRESETS
from annotation.services import comparisons, composing, copying, generation, rehearsals, studies
from annotation.services.actors import Actor
from annotation.services.trail import record
from annotation.states import StudyState


def _is_draft(study: Study) -> bool:
    return study.state == StudyState.DRAFT


def _is_open(study: Study) -> bool:
    return study.state in (StudyState.RUNNING, StudyState.PAUSED)


def _has_flaws(study: Study) -> bool:
    return _is_draft(study) and study.comparisons.exists()


def _generate(study: Study, actor: Actor, reason: str) -> str:
    prepared = studies.prepare_comparisons(study)
    run = generation.start_run(study)
    ordered = run.units.count()
    record(study, "generate", actor=actor, comparisons=prepared.made + prepared.kept, texts=ordered)
    ready = f"{prepared.made + prepared.kept} comparisons prepared"
    if not ordered:
        comparisons.attach_responses(study)
        return f"{ready}; every response is there already."
    return f"{ready}; {ordered} texts ordered. They are written as soon as workers serve the models."


def _write_again(study: Study, actor: Actor, reason: str) -> str:
    lacking = generation.unusable(study)
    flagged = [lack.response for lack in lacking if lack.response is not None]
    ours = [response for response in flagged if response.agent.responder_id is not None]
    if ours:
        generation.regenerate(ours, study=study, rethink=True)
        record(study, "regenerate", actor=actor, responses=len(ours))
    if len(flagged) < len(lacking):
        run = generation.start_run(study)
        record(study, "generate", actor=actor, texts=run.units.count())
    imported = len(flagged) - len(ours)
    ordered = len(lacking) - imported
    said = f"{ordered} responses ordered again, with new seeds." if ordered else ""
    held = f"{imported} imported responses are held back: import others, release them or leave them out."
    return " ".join(filter(None, [said, held if imported else ""])) or "Every response is usable."


def _exclude_unusable(study: Study, actor: Actor, reason: str) -> str:
    comparisons.attach_responses(study)
    unusable = comparisons.find_unusable(study)
    for found in unusable:
        said = f"{reason.strip()} ({found.reason})" if reason.strip() else ""
        studies.exclude_comparison(found.comparison, said, actor=actor, now=timezone.now())
    return f"{len(unusable)} comparisons left out."


def _launch(study: Study, actor: Actor, reason: str) -> str:
    studies.launch(study, actor=actor, now=timezone.now())
    return "The study runs. Send annotators the link on this page."


def _pause(study: Study, actor: Actor, reason: str) -> str:
    studies.pause(study, actor=actor)
    return "The study is paused: what people hold they may still answer, and nobody gets a new comparison."


def _resume(study: Study, actor: Actor, reason: str) -> str:
    studies.resume(study, actor=actor)
    return "The study runs again."


def _close(study: Study, actor: Actor, reason: str) -> str:
    studies.close(study, actor=actor, now=timezone.now())
    return "The study is closed. The results show their final intervals."


def _copy(study: Study, actor: Actor, reason: str) -> str:
    return f"“{copying.copy_study(study, actor=actor)}” is a draft with the same settings and nothing judged."


def _rehearse(study: Study, actor: Actor, reason: str) -> str:
    rehearsal = rehearsals.make_rehearsal(study, actor=actor)
    return f"“{rehearsal}” is a copy to try everything out on. Launch it, judge in it, and delete it again."


def _delete_rehearsal(study: Study, actor: Actor, reason: str) -> str:
    name = study.name
    rehearsals.delete_rehearsal(study, actor=actor)
    return f"“{name}” and everything that was judged in it are gone."


GENERATE = RowAction[Study](
    "generate",
    "Generate responses",
    "play_arrow",
    "Makes the comparisons from the dialogues and matchups as they are saved, and orders every response that is not "
    "there yet. Responses that were made with the same settings are used again.",
    _generate,
    _is_draft,
)
WRITE_AGAIN = RowAction[Study](
    "write-again",
    "Write unusable ones again",
    "refresh",
    "Orders a new text, with a new seed, for every response that is missing or that the checks found something about. "
    "The old ones are kept, and no longer shown.",
    _write_again,
    _has_flaws,
)
EXCLUDE_UNUSABLE = RowAction[Study](
    "exclude-unusable",
    "Leave unusable ones out",
    "block",
    "Leaves out every comparison that lacks two usable responses. Your reason, and what the checks found, are kept "
    "with each of them.",
    _exclude_unusable,
    _has_flaws,
    asks_reason=True,
)
LAUNCH = RowAction[Study](
    "launch",
    "Launch",
    "rocket_launch",
    "Freezes what annotators see, fixes the sides of every comparison, and opens the study to everybody who has the "
    "link. This cannot be taken back; a launched study can be paused and closed.",
    _launch,
    _is_draft,
)
PAUSE = RowAction[Study](
    "pause",
    "Pause",
    "pause",
    "People finish the comparison that they hold; nobody gets a new one until you resume.",
    _pause,
    lambda study: study.state == StudyState.RUNNING,
)
RESUME = RowAction[Study](
    "resume",
    "Resume",
    "play_arrow",
    "Comparisons are handed out again.",
    _resume,
    lambda study: study.state == StudyState.PAUSED,
)
CLOSE = RowAction[Study](
    "close",
    "Close",
    "flag",
    "Ends the study for good. Comparisons in people's hands are taken back; late answers are thanked for and kept "
    "outside the results. The results change from the running band to their final intervals.",
    _close,
    _is_open,
    is_final=True,
)
REHEARSE = RowAction[Study](
    "rehearse",
    "Make a rehearsal",
    "theater_comedy",
    "Copies the study with its comparisons, to be judged by your team or by simulated annotators. It shares the "
    "responses and nothing else: no judgement of a rehearsal ever enters the results.",
    _rehearse,
    lambda study: not study.is_rehearsal,
)
COPY = RowAction[Study](
    "copy",
    "Copy as a new draft",
    "content_copy",
    "Makes a draft with the same settings, criteria and matchups. This is how a launched study changes: as a new one.",
    _copy,
    lambda study: not study.is_rehearsal,
)
DELETE_REHEARSAL = RowAction[Study](
    "delete-rehearsal",
    "Delete this rehearsal",
    "delete",
    "Deletes the copy with all its annotators and judgements. The study it was made from stays as it is.",
    _delete_rehearsal,
    lambda study: study.is_rehearsal,
    is_final=True,
    permission="delete",
)


def _composer(key: str) -> RowAction[Study]:
    preset = PRESETS[key]

    def compose(study: Study, actor: Actor, reason: str) -> str:
        composing.apply_preset(study, key, actor=actor)
        return f"The way through the study is “{preset.name}”. Look at its texts below, and preview it."

    return RowAction[Study](
        f"compose-{key}",
        f"Steps: {preset.name}",
        "route",
        f"{preset.explanation} Texts that you wrote for a step stay; a step that is left out loses its texts.",
        compose,
        _is_draft,
    )


ACTIONS = (
    *map(_composer, PRESETS),
    GENERATE,
    WRITE_AGAIN,
    EXCLUDE_UNUSABLE,
    LAUNCH,
    PAUSE,
    RESUME,
    CLOSE,
    REHEARSE,
    COPY,
    DELETE_REHEARSAL,
)
