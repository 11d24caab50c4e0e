"""The report: its shape, its sentences, its command line, and its recomputation from a bundle."""

import ast
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import annotation.results
from annotation.results import bundle, sentences
from annotation.results.__main__ import main
from annotation.results.data import Estimate, NotEstimable
from annotation.results.errors import BadSetting, UnreadableFile
from annotation.results.sample import prepare
from annotation.results.settings import Settings
from annotation.results.summary import analyse
from annotation.results.table import read_csv
from annotation.results.text import as_text
from tests.results.made import examples, random_rows, row, sample, write

QUICK = Settings(resamples=200)


def leaning(dimension="naturalness", *, chance=0.75, items=80, seed=0, **more):
    """Rows in which B wins with a known chance."""
    rng = np.random.default_rng(seed)
    return [
        row(f"i{item}", f"r{person}", "B" if rng.random() < chance else "A", dimension=dimension, **more)
        for item in range(items)
        for person in rng.permutation(10)[:3]
    ]


def report_of(rows, settings=QUICK):
    return analyse(sample(rows, strata=settings.strata), settings)


def is_figure(value):
    if value.get("estimate") is None:
        return set(value) == {"estimate", "reason"} and bool(value["reason"])
    return {"estimate", "low", "high", "method", "n"} <= set(value)


def test_json_has_the_documented_shape():
    rows = random_rows(seed=1, shown_left="plain", length_a=5, length_b=7)
    written = report_of(rows).to_json()
    assert json.loads(json.dumps(written, allow_nan=False)) == written
    assert {"settings", "criteria"} <= set(written)
    (criterion,) = written["criteria"]
    assert {"criterion", "n_judgements", "n_items", "n_annotators", "agreement", "matchups", "ranking"} <= set(
        criterion
    )
    (matchup,) = criterion["matchups"]
    plain = {
        "system_a",
        "system_b",
        "n_judgements",
        "n_items",
        "n_annotators",
        "a_wins",
        "ties",
        "b_wins",
        "p",
        "holm_p",
    }
    assert plain <= set(matchup)
    for name in ("win_score_b", "win_score_b_items", "win_rate_b_no_ties"):
        assert is_figure(matchup[name])
    assert set(matchup["majority"]) == {"a_wins", "ties", "b_wins", "no_majority"}
    assert "p" in matchup["sign_test"]
    assert {"items", "annotators", "rest"} <= set(matchup["variance_shares"])
    assert is_figure(matchup["position"]["left_share"])
    assert "p" in matchup["position"]
    assert matchup["length"] is not None
    for agreement in (criterion["agreement"], matchup["agreement"]):
        assert is_figure(agreement["alpha_ordinal"])
        assert is_figure(agreement["alpha_nominal"])
        assert {"percent", "ac1", "label_shares", "n_items_multi"} <= set(agreement)
    assert criterion["ranking"] is None


def test_what_the_data_do_not_say_is_null():
    matchup = report_of(random_rows(seed=1)).to_json()["criteria"][0]["matchups"][0]
    for name in ("position", "length", "band", "signed_rank", "equivalence", "dawid_skene"):
        assert matchup[name] is None


def test_three_systems_are_ranked_and_their_agreement_is_called_pooled():
    rows = [*random_rows(seed=1), *random_rows(seed=2, b="third"), *random_rows(seed=3, a="guided", b="third")]
    (criterion,) = report_of(rows).to_json()["criteria"]
    assert criterion["agreement"]["pooled_over_matchups"]
    assert not criterion["matchups"][0]["agreement"]["pooled_over_matchups"]
    assert {standing["system"] for standing in criterion["ranking"]["bradley_terry"]} == {"plain", "guided", "third"}
    assert len(criterion["ranking"]["davidson"]) == 3


def test_holm_runs_over_all_criteria_and_pairs():
    rows = [*leaning("x", chance=0.65, seed=1), *leaning("y", chance=0.5, seed=2), *leaning("x", seed=3, b="third")]
    report = report_of(rows)
    p_values = [matchup.p for _, matchup in report.matchups()]
    assert report.family.size == 3
    corrected = [matchup.holm_p for _, matchup in report.matchups()]
    smallest = int(np.argmin(p_values))
    assert corrected[smallest] == pytest.approx(min(1, 3 * p_values[smallest]))
    assert all(after >= before for before, after in zip(p_values, corrected, strict=True))


def test_a_test_that_is_not_defined_is_no_member_of_the_family():
    rows = [*leaning("x"), row("i1", "r1", "A", dimension="y"), row("i2", "r1", "B", dimension="y")]
    report = report_of(rows)
    assert report.family.size == 1
    assert report.criteria[1].matchups[0].holm_p is None


def test_graded_scales_are_tested_on_item_means_and_agree_on_grades():
    report = report_of(random_rows(seed=1, labels=("-2", "-1", "0", "1", "2", "both_bad")))
    (criterion,) = report.criteria
    assert criterion.is_graded
    assert set(criterion.agreement.label_shares) == {"-2", "-1", "0", "1", "2", "both_bad"}
    assert criterion.matchups[0].signed_rank.n_items == 40


def test_few_annotators_and_both_bad_are_noted():
    rows = random_rows(annotators=3, k=3, labels=("A", "B", "both_bad"))
    notes = " ".join(report_of(rows).criteria[0].matchups[0].notes)
    assert "Only 3 annotators" in notes
    assert "Both bad" in notes


def test_strata_have_a_win_score_each_and_a_warning():
    rows = [{**one, "collection": f"c{int(one['item_id'][1:]) % 3}"} for one in leaning()]
    (found,) = report_of(rows, Settings(resamples=200, strata=("collection",))).strata
    assert [stratum.value for stratum in found.strata] == ["c0", "c1", "c2"]
    assert sum(stratum.n_items for stratum in found.strata) == 80
    assert "one in 20" in found.note
    assert all(stratum.holm_p >= stratum.win_score_b.p for stratum in found.strata)


def test_advice_follows_the_variance():
    one_each = report_of(leaning(items=60, seed=3)).criteria[0].matchups[0].advice
    assert one_each.add in ("dialogues", "either")
    partial = [
        row(f"i{item}", f"r{person}", "B" if (person % 2) ^ (item % 10 == 0) else "A")
        for item in range(100)
        for person in range(6)
    ]
    advice = report_of(partial).criteria[0].matchups[0].advice
    assert advice.add == "people"
    assert advice.with_more_people < advice.with_more_dialogues
    assert "People" not in advice.sentence[1:]


def test_detectable_effect_is_between_the_half_width_and_twice_it():
    matchup = report_of(leaning()).criteria[0].matchups[0]
    half = (matchup.win_score_b.high - matchup.win_score_b.low) / 2
    assert half < matchup.detectable_effect < 2 * half


def test_the_answer_names_who_is_preferred_with_figures():
    report = report_of([*leaning("naturalness"), *leaning("empathy", chance=0.8, seed=1)])
    words = sentences.answer(report)
    score = report.criteria[0].matchups[0].win_score_b
    assert f"On naturalness people prefer guided: {100 * score.estimate:.0f} % win score" in words
    assert "80 comparisons, 10 annotators" in words
    assert "two differences together hold after correction for the two tests" in words


def test_the_answer_turns_the_figures_when_a_is_preferred():
    words = sentences.answer(report_of(leaning(chance=0.2)))
    assert "people prefer plain: 8" in words or "people prefer plain: 7" in words


def test_the_answer_does_not_claim_what_the_interval_leaves_open():
    words = sentences.answer(report_of(leaning(chance=0.5, seed=1)))
    assert "cannot tell guided from plain" in words
    assert "prefer" not in words


def test_equality_is_claimed_only_by_equivalence_tests():
    rows = leaning(chance=0.5, items=1500, seed=1)
    assert "do not differ by more than 5 points" in sentences.answer(
        report_of(rows, Settings(resamples=200, margin=0.05))
    )
    assert "cannot tell" in sentences.answer(
        report_of(leaning(chance=0.5, seed=1), Settings(resamples=200, margin=0.05))
    )


def test_several_pairs_name_both_systems():
    words = sentences.answer(report_of([*leaning(), *leaning(b="third", seed=1)]))
    assert "prefer guided over plain" in words
    assert "prefer third over plain" in words


def test_a_running_study_answers_from_the_band():
    settings = Settings(resamples=200, planned_items=160, judgements_per_item=3)
    words = sentences.answer(report_of(leaning(chance=0.8), settings))
    assert "95 % band between" in words
    both = sentences.answer(report_of([*leaning(chance=0.8), *leaning("y", chance=0.5, seed=1)], settings))
    assert "The difference on naturalness holds after correction for the two bands" in both
    early = sentences.answer(report_of(leaning(items=10), settings))
    assert "no interval" in early
    assert "20 finished comparisons" in early


def test_one_annotator_is_answered_for_that_annotator():
    rows = [row(f"i{n}", "only", "A" if n % 4 else "B") for n in range(60)]
    assert "(this annotator)" in sentences.answer(report_of(rows))


def test_rounding_never_moves_a_figure_across_one_half():
    figure = Estimate(0.5321, 0.5004, 0.5638, "method", 100, 0.95)
    assert sentences.percentages(figure) == ("53.21", "50.04", "56.38")
    assert sentences.percentages(Estimate(0.61, 0.54, 0.68, "m", 1, 0.95)) == ("61", "54", "68")
    assert sentences.percentages(Estimate(0.5, 0.4, 0.6, "m", 1, 0.95)) == ("50", "40", "60")


def test_text_tells_counts_notes_and_figures(tmp_path):
    rows = [*leaning(shown_left="plain", length_a=5, length_b=6, kind="main"), row("i0", "r0", "A", kind="training")]
    words = as_text(report_of(rows))
    assert "241 rows read, 240 judgements analysed." in words
    assert "training 1" in words
    assert "win score of B" in words
    assert "alpha, ordinal" in words


def run(arguments, capsys):
    status = main([str(argument) for argument in arguments])
    return status, capsys.readouterr()


def test_command_prints_the_report_and_writes_json(tmp_path, capsys):
    path = write(tmp_path / "ratings.csv", leaning())
    status, printed = run(
        [path, "--json", tmp_path / "out.json", "--seed", 3, "--resamples", 300, "--level", 0.9], capsys
    )
    assert status == 0
    assert "On naturalness people prefer guided" in printed.out
    written = json.loads((tmp_path / "out.json").read_text())
    assert (written["settings"]["seed"], written["settings"]["level"]) == (3, 0.9)
    expected = analyse(prepare(read_csv(path)), Settings(level=0.9, seed=3, resamples=300)).to_json()
    assert written == json.loads(json.dumps(expected))


def test_command_leaves_annotators_out(tmp_path, capsys):
    path = write(tmp_path / "ratings.csv", leaning())
    options = [
        "--resamples",
        200,
        "--exclude-annotator",
        "r1",
        "--exclude-annotator",
        "r2",
        "--json",
        tmp_path / "o.json",
    ]
    run([path, *options], capsys)
    written = json.loads((tmp_path / "o.json").read_text())
    assert written["criteria"][0]["n_annotators"] == 8
    assert set(written["data"]["excluded_annotators"]) == {"r1", "r2"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--exclude-annotator", "nobody"], "nobody"),
        (["--level", "95"], "The level is 95"),
        (["--resamples", "3"], "resamples"),
        (["--seed", "-1"], "seed"),
        (["--margin", "2"], "margin"),
        (["--by", "collection"], "lacks collection"),
        (["--json", "/no/such/folder/out.json"], "cannot be written"),
    ],
)
def test_command_says_what_is_wrong_and_where(tmp_path, capsys, options, words):
    path = write(tmp_path / "ratings.csv", leaning(items=5))
    status, printed = run([path, *options], capsys)
    assert status == 2
    assert words in printed.err
    assert "Traceback" not in printed.err


def test_command_refuses_a_bad_row_with_its_line(tmp_path, capsys):
    path = write(tmp_path / "ratings.csv", [row(), row("i2", label="maybe")])
    status, printed = run([path], capsys)
    assert status == 2
    assert "Line 3: label 'maybe'" in printed.err


def test_command_needs_no_django_and_no_database(tmp_path):
    path = write(tmp_path / "ratings.csv", leaning(items=10))
    script = (
        "import sys; sys.modules['django'] = None; from annotation.results.__main__ import main; "
        f"sys.exit(main([{str(path)!r}, '--resamples', '200']))"
    )
    root = Path(annotation.results.__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_no_module_but_load_imports_django():
    for path in Path(annotation.results.__file__).parent.glob("*.py"):
        if path.name == "load.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not any((name or "").split(".")[0] == "django" for name in names), path


def bundle_of(folder, rows, settings=QUICK, change=lambda report: None):
    path = write(folder / "judgements.csv", rows)
    table = read_csv(path, strata=settings.strata)
    report = analyse(prepare(table, exclude_annotators=settings.exclude_annotators), settings).to_json()
    change(report)
    (folder / "report.json").write_text(json.dumps(report))
    with zipfile.ZipFile(folder / "bundle.zip", "w") as archive:
        for name in ("judgements.csv", "report.json"):
            archive.write(folder / name, f"study-7/{name}")
    return folder / "bundle.zip"


def test_a_bundle_is_recomputed_to_the_last_digit(tmp_path, capsys):
    rows = [{**one, "collection": "c1"} for one in leaning()]
    settings = Settings(resamples=200, seed=5, exclude_annotators=("r1",), strata=("collection",), margin=0.1)
    status, printed = run([bundle_of(tmp_path, rows, settings)], capsys)
    assert status == 0
    assert "equal to the last digit" in printed.out


def test_a_bundle_whose_report_says_something_else_is_told_where(tmp_path, capsys):
    def change(report):
        report["criteria"][0]["matchups"][0]["win_score_b"]["estimate"] += 0.001

    status, printed = run([bundle_of(tmp_path, leaning(), change=change)], capsys)
    assert status == 1
    assert "1 of" in printed.out
    assert "criteria[0].matchups[0].win_score_b.estimate" in printed.out


def test_a_figure_that_is_missing_from_the_bundle_is_a_difference(tmp_path):
    def change(report):
        del report["criteria"][0]["agreement"]["percent"]
        report["study"] = "what stands beside the figures is no figure"

    comparison = bundle.recompute(bundle_of(tmp_path, leaning(), change=change))
    assert len(comparison.differences) == 1
    assert "agreement.percent" in comparison.differences[0]


def test_other_versions_are_no_difference_and_last_digits_are_told_apart(tmp_path):
    def change(report):
        report["versions"]["numpy"] = "1.0"
        report["criteria"][0]["matchups"][0]["win_score_b"]["estimate"] *= 1 + 1e-15

    comparison = bundle.recompute(bundle_of(tmp_path, leaning(), change=change))
    assert not comparison.differences
    assert "nine digits" in comparison.sentence


def test_a_zip_that_is_no_bundle_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(UnreadableFile, match="no study bundle"):
        bundle.recompute(tmp_path / "other.zip")


def test_a_damaged_report_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("judgements.csv", "x")
        archive.writestr("report.json", "{")
    with pytest.raises(UnreadableFile, match="damaged"):
        bundle.recompute(tmp_path / "b.zip")


def test_a_report_whose_annotators_are_no_list_is_refused(tmp_path):
    settings = json.loads(json.dumps(vars(Settings())))
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("judgements.csv", "x")
        archive.writestr("report.json", json.dumps({"settings": settings, "annotators": 5}))
    with pytest.raises(UnreadableFile, match="damaged"):
        bundle.recompute(tmp_path / "b.zip")


def test_settings_come_back_from_their_json():
    settings = Settings(level=0.9, exclude_annotators=("x",), strata=("kind",), planned_items=30, judgements_per_item=3)
    written = json.loads(json.dumps(report_of(leaning(items=5)).to_json() | {"settings": vars(settings)}))["settings"]
    assert Settings.from_json(written) == settings


def test_settings_out_of_range_are_refused():
    for change in ({"level": 1.0}, {"resamples": 10}, {"seed": -3}, {"margin": 0.0}, {"planned_items": 0}):
        with pytest.raises(BadSetting):
            Settings(**change)


def test_a_scale_whose_middle_is_not_0_is_pointed_out():
    likert = report_of([row(f"i{n}", f"r{n % 3}", 1 + n % 5) for n in range(30)])
    assert "one side of 0" in likert.notes[0]
    assert report_of([row(f"i{n}", f"r{n % 3}", n % 5 - 2) for n in range(30)]).notes == ()


LABELS = (["A", "B"], ["tie"], ["both_bad", "tie"], ["A", "B", "tie", "both_bad"], ["-2", "0", "1"], ["A", "2"], ["0"])


@examples
@given(st.integers(0, 100_000), st.integers(1, 30), st.integers(1, 5), st.integers(2, 4), st.sampled_from(LABELS))
def test_whatever_the_table_holds_the_report_has_numbers_or_reasons(seed, n, raters, systems, labels):
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(n):
        a, b = rng.choice(list("wxyz")[:systems], 2, replace=False)
        one = row(f"i{rng.integers(6)}", f"r{rng.integers(raters)}", rng.choice(labels), a=a, b=b)
        one |= {"shown_left": rng.choice([a, b, ""]), "length_a": rng.choice(["", "0", "5"]), "length_b": "7"}
        rows.append(one | {"group": f"g{rng.integers(2)}", "seconds": rng.choice(["", "3", "nan"])})
    settings = Settings(resamples=100, margin=0.1, strata=("group",), dawid_skene=True, planned_items=20)
    report = report_of(rows, settings)
    json.dumps(report.to_json(), allow_nan=False)
    assert report.criteria[0].criterion in as_text(report)


def test_a_report_of_one_judgement_explains_what_is_missing():
    matchup = report_of([row()]).criteria[0].matchups[0]
    for figure in (matchup.win_score_b, matchup.win_score_b_items, matchup.variance_shares, matchup.detectable_effect):
        assert isinstance(figure, NotEstimable)
    assert "dialogue" in sentences.answer(report_of([row()]))


def test_what_must_be_said_of_a_system_is_said_once():
    text = as_text(report_of([row(f"i{n}", note_a="", note_b="demo augmenter, not Thanos") for n in range(4)]))
    assert text.count("guided: demo augmenter, not Thanos") == 1


def test_the_text_counts_one_as_one():
    text = as_text(report_of([row("i1")]))
    assert "1 judgement, 1 item, 1 annotator\n" in text
    assert "1 row read, 1 judgement analysed." in text
