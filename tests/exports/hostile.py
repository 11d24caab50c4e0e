"""A study in which everything that people and models can write is as unkind as it can be."""

from django.utils import timezone

from annotation.models import Study
from annotation.services.comparisons import exclude_comparison, prepare_comparisons, release_comparison
from annotation.services.exclusions import exclude_annotator
from annotation.services.studies import close, launch
from annotation.states import AssignmentState, Outcome
from tests import build

NASTY = '=HYPERLINK("x"), "quoted"\nnew | line * _a_ \\cmd{1} 50% & $x$ #1 ~ ^ <b>ж</b> \u202eעברית 😀\u2028[x](y)\x85'
LONG = "word " * 20_000
PLATFORM_ID = "5f2c" * 16
A, B, TIE, BAD = Outcome.BASELINE, Outcome.TREATMENT, Outcome.TIE, Outcome.BOTH_BAD

# What three annotators say on the first criterion of each dialogue; the fourth comes late, the fifth is excluded.
SAID = [[B, B, B], [B, B, A], [A, A, TIE], [B, A, TIE], [BAD, BAD, TIE], [B, B, B]]


def make_hostile_study(**over) -> Study:
    """Closed, six comparisons of which the last is excluded, one annotator excluded and one late answer."""
    collection = build.make_collection(name=f"C {NASTY}", source=NASTY, licence="CC BY 4.0")
    fields = {"name": NASTY, "title": "Which is better?", "judgements_per_comparison": 4, "seed": 9, "contact": NASTY}
    study = build.make_study(collections=[collection], **(fields | over))
    build.make_criteria(study)
    note = {"note": "demo augmenter, not Thanos"}
    guided = build.make_agent(name=f"Guided {NASTY}", augmenter=build.make_augmenter(name=f"Aug {NASTY}", **note))
    plain = build.make_agent(name=f"Plain {NASTY}")
    build.make_matchup(study, baseline=plain, treatment=guided)
    for n in range(len(SAID)):
        dialogue = build.make_dialogue(
            collection=collection,
            external_id=f"{NASTY[:100]}{n}",
            social_context=LONG if n == 0 else NASTY,
            tags=["a,b", NASTY],
            turns=[{"speaker": "Ana", "text": NASTY}, {"speaker": "Ben|", "text": f"{n}"}],
        )
        thought = build.make_skill_of_mind(dialogue, explanation=NASTY, skill="=Empathy", provenance={"model": "own"})
        build.make_response(dialogue, plain, text=LONG if n == 1 else f"{NASTY} plain {n}")
        build.make_response(dialogue, guided, text=f"{NASTY} guided {n}", skill_of_mind=thought, provenance={})
    prepare_comparisons(study)
    for comparison in study.comparisons.all():
        release_comparison(comparison, NASTY, actor=None, now=timezone.now())
    launch(study, actor=None, now=timezone.now())
    _judge(study)
    return close(study, actor=None, now=timezone.now())


def _judge(study: Study) -> None:
    people = [
        build.make_annotator(study, platform="prolific", platform_hash=f"{n}{PLATFORM_ID[:63]}") for n in range(4)
    ]
    comparisons = list(study.comparisons.order_by("pk"))
    for comparison, said in zip(comparisons, SAID, strict=True):
        for slot, person, outcome in zip(comparison.slots.order_by("ordinal"), people, [*said, B], strict=True):
            build.judge(slot, person, [outcome, TIE, B])
    for judgement in people[0].assignments.first().judgements.all():
        judgement.reason = NASTY
        judgement.save()
    late = build.make_annotator(study)
    build.judge(comparisons[0].slots.first(), late, [A, A, A], state=AssignmentState.SURPLUS)
    exclude_annotator(people[3], NASTY, actor=None, now=timezone.now())
    exclude_comparison(comparisons[-1], NASTY, actor=None, now=timezone.now())
