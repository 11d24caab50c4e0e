"""Skills that guidance named against those that people chose: by hand, by another implementation, on a run's page."""

import csv
import io

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

from annotation.models import GenerationRun, GenerationUnit, Source
from annotation.services.reference_skills import confusion_csv, has_references, scores_csv, scores_of
from annotation.skill_scores import OTHER, Named, skill_scores
from inference_worker.schema import SKILLS
from tests import build

EMPATHY, ETHICS, RHETORIC = "Empathy", "Ethics", "Rhetoric"


def named(*pairs, **over):
    return [Named((reference,), said, **over) for reference, said in pairs]


def test_five_dialogues_by_hand():
    (score,) = skill_scores(
        named((EMPATHY, EMPATHY), (EMPATHY, EMPATHY), (EMPATHY, ETHICS), (ETHICS, ETHICS), (RHETORIC, "Juggling"))
    )
    # Empathy: 2 hits, 3 true, 2 named: 4/5. Ethics: 1 hit, 1 true, 2 named: 2/3. Rhetoric: 0.
    assert (score.n, score.correct, score.accuracy) == (5, 3, 0.6)
    assert score.macro_f1 == pytest.approx((4 / 5 + 2 / 3 + 0) / 3)
    assert score.confusion == {
        (EMPATHY, EMPATHY): 2,
        (EMPATHY, ETHICS): 1,
        (ETHICS, ETHICS): 1,
        (RHETORIC, OTHER): 1,
    }


def test_each_of_several_reference_skills_is_right_and_else_the_first_counts():
    both = (EMPATHY, ETHICS)
    (score,) = skill_scores([Named(both, ETHICS), Named(both, RHETORIC), Named((RHETORIC,), "")])
    assert score.confusion == {(EMPATHY, RHETORIC): 1, (ETHICS, ETHICS): 1, (RHETORIC, OTHER): 1}


def test_spelling_does_not_count_and_unknown_references_are_passed_over():
    (score,) = skill_scores([Named(("self disclosure",), "Self-Disclosure."), Named(("Juggling",), EMPATHY)])
    assert (score.n, score.correct) == (1, 1)


def test_without_dialogues_nothing_is_said():
    (score,) = skill_scores([])
    assert (score.n, score.accuracy, score.macro_f1) == (0, None, None)


def test_strata_are_counted_apart_and_together():
    scores = skill_scores(
        named((EMPATHY, EMPATHY), strata=(("kind", "grief"),)) + named((EMPATHY, ETHICS), strata=(("kind", "fun"),))
    )
    assert [(score.variable, score.value, score.correct, score.n) for score in scores] == [
        ("", "", 1, 2),
        ("kind", "fun", 0, 1),
        ("kind", "grief", 1, 1),
    ]


some_skill = st.sampled_from(SKILLS[:6])


@given(st.lists(st.tuples(some_skill, st.one_of(some_skill, st.just(""))), min_size=1, max_size=60))
def test_another_implementation_gives_the_same_figures(pairs):
    (score,) = skill_scores(named(*pairs))
    true, said = zip(*[(reference, skill or OTHER) for reference, skill in pairs], strict=True)
    classes = sorted((set(true) | set(said)) - {OTHER})
    assert score.accuracy == pytest.approx(accuracy_score(true, said))
    assert score.macro_f1 == pytest.approx(f1_score(true, said, labels=classes, average="macro", zero_division=0))
    table = confusion_matrix(true, said, labels=[*classes, OTHER])
    ours = [[score.confusion.get((row, column), 0) for column in [*classes, OTHER]] for row in [*classes, OTHER]]
    assert table.tolist() == ours


# --- a run ---


def make_run():
    """Three dialogues with references and one without; an augmenter, a variant of it, and a chain of thought."""
    run = GenerationRun.objects.create()
    augmenter, variant = build.make_augmenter(name="=Thanos"), build.make_augmenter(name="Skill only")
    doctor = build.make_augmenter(name="Doctor", source=Source.DOCTOR)
    agent = build.make_agent(augmenter=variant)
    collection = build.make_collection(name="Annotated")
    cases = [
        ([EMPATHY], EMPATHY, "grief"),
        ([ETHICS], EMPATHY, "grief"),
        ([ETHICS, RHETORIC], RHETORIC, ""),
        ([], "", ""),
    ]
    for references, said, kind in cases:
        dialogue = build.make_dialogue(collection=collection, kind=kind, reference_skills=references)
        thought = build.make_skill_of_mind(dialogue, skill=said)
        chain = build.make_skill_of_mind(dialogue, skill="", settings_hash="d" * 64)
        fields = {"run": run, "dialogue": dialogue, "model": augmenter.model, "state": "done"}
        GenerationUnit.objects.create(stage="think", augmenter=augmenter, skill_of_mind=thought, **fields)
        GenerationUnit.objects.create(stage="think", augmenter=doctor, skill_of_mind=chain, **fields)
        GenerationUnit.objects.create(stage="respond", agent=agent, skill_of_mind=thought, **fields)
    return run


def rows_of(lines):
    return list(csv.DictReader(io.StringIO("".join(lines))))


@pytest.mark.django_db
def test_a_run_counts_each_thought_once_under_all_augmenters_that_share_it():
    (scored,) = scores_of(make_run())
    assert scored.augmenters == "=Thanos, Skill only"
    found = {(score.variable, score.value): (score.correct, score.n) for score in scored.scores}
    assert found == {
        ("", ""): (2, 3),
        ("collection", "Annotated"): (2, 3),
        ("kind of dialogue", "grief"): (1, 2),
        ("category of a reference skill", "Interpersonal"): (2, 3),
        ("category of a reference skill", "Communication & Listening"): (1, 1),
    }


@pytest.mark.django_db
def test_the_files_hold_every_figure_and_run_in_no_spreadsheet():
    run = make_run()
    first, *_ = rows_of(scores_csv(run))
    assert first == {
        "augmenters": "'=Thanos, Skill only",
        "stratum": "all",
        "value": "",
        "dialogues": "3",
        "correct": "2",
        "accuracy": "0.666667",
        "macro_f1": "0.555556",
    }
    confused = [(row["reference_skill"], row["named_skill"], row["dialogues"]) for row in rows_of(confusion_csv(run))]
    assert confused[:3] == [(EMPATHY, EMPATHY, "1"), (ETHICS, EMPATHY, "1"), (RHETORIC, RHETORIC, "1")]


@pytest.mark.django_db
def test_the_pages_of_a_run_show_the_figures_and_give_the_files(client):
    client.force_login(build.make_researcher())
    run = make_run()
    page = client.get(reverse("admin:annotation_generationrun_change", args=[run.pk])).content.decode()
    assert "0.667" in page
    address = reverse("admin:annotation_generationrun_skills", args=[run.pk])
    assert address in page
    shown = client.get(address).content.decode()
    assert "Communication &amp; Listening" in shown
    assert "0.556" in shown
    file = client.get(f"{address}skill-confusion.csv")
    assert b"reference_skill" in file.getvalue()
    assert client.get(f"{address}other.csv").status_code == 404


@pytest.mark.django_db
def test_strangers_and_members_of_other_studies_see_no_figures(client):
    run = make_run()
    run.study = build.make_study()
    run.save()
    address = reverse("admin:annotation_generationrun_skills", args=[run.pk])
    assert client.get(address).status_code == 302
    client.force_login(build.make_researcher(is_superuser=False))
    assert client.get(address).status_code in (403, 404)
    assert client.get(f"{address}skill-scores.csv").status_code in (403, 404)


@pytest.mark.django_db
def test_a_run_without_reference_skills_says_so(client):
    client.force_login(build.make_researcher())
    run = GenerationRun.objects.create()
    assert not has_references(run)
    page = client.get(reverse("admin:annotation_generationrun_change", args=[run.pk])).content.decode()
    assert "carry no reference skills" in page
    assert (
        "Nothing to count yet"
        in client.get(reverse("admin:annotation_generationrun_skills", args=[run.pk])).content.decode()
    )
