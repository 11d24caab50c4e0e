"""The study bundle: whole, the same each time, pseudonymous, and recomputed to the last digit."""

import hashlib
import io
import json
import re
import subprocess
import sys
import threading
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from annotation.results.bundle import recompute
from annotation.services import reports, studies
from annotation.services.exports.bundle import bundles_of, make_bundle
from annotation.services.exports.files import FILES
from annotation.views import snapshots as drawing
from annotation.views.snapshots import snapshots
from tests import build
from tests.console.judging import make_judged_study
from tests.exports.hostile import PLATFORM_ID, make_hostile_study

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]


def made(study, folder):
    return make_bundle(study, folder, pages=snapshots).path


def members(path):
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def rewritten(path, to, change):
    """A copy of a bundle with some members changed: name to new bytes, None takes one away."""
    with zipfile.ZipFile(to, "w") as archive:
        for name, content in {**members(path), **change}.items():
            if content is not None:
                archive.writestr(name, content)
    return to


@dataclass(frozen=True)
class Hostile:
    """The bundle of the hostile study, and what its database said when it was made."""

    path: Path
    frozen_sha256: str
    codes: tuple[str, ...]
    comparison: str
    question: str
    consent: str

    @property
    def members(self) -> dict[str, bytes]:
        return members(self.path)


kept: list[Hostile] = []


@pytest.fixture
def hostile(tmp_path_factory) -> Hostile:
    """Made once and read by many."""
    if not kept:
        study = make_hostile_study()
        actor = build.make_researcher(username="prof.example")
        kept.append(
            Hostile(
                path=make_bundle(study, tmp_path_factory.mktemp("hostile"), pages=snapshots, actor=actor).path,
                frozen_sha256=study.frozen_sha256,
                codes=tuple(str(code) for code in study.annotators.values_list("code", flat=True)),
                comparison=str(study.comparisons.order_by("pk")[2].code),
                question=study.criteria.first().question,
                consent=study.consent_text,
            )
        )
    return kept[0]


def test_every_figure_is_computed_again_to_the_last_digit(tmp_path):
    study = studies.close(make_judged_study(), actor=None, now=timezone.now())
    path = made(study, tmp_path)
    command = [sys.executable, "-m", "annotation.results", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "figures of the report were recomputed and are equal to the last digit." in done.stdout
    assert "files of the bundle are as they were when it was made" in done.stdout
    written = json.loads(members(path)["report.json"])
    assert written["criteria"] == json.loads(json.dumps(reports.make_report(study)))["criteria"]


@pytest.mark.parametrize("make", [make_judged_study, build.make_running_study, build.make_study])
def test_bundles_of_running_and_empty_studies_and_of_drafts_are_whole(tmp_path, make):
    comparison = recompute(made(make(), tmp_path))
    assert comparison.is_whole, comparison.sentence


def test_a_bundle_full_of_hard_texts_is_whole(hostile):
    comparison = recompute(hostile.path)
    assert comparison.is_whole, comparison.sentence
    assert comparison.exact == comparison.figures > 100


def test_a_changed_judgement_is_noticed_by_checksum_and_by_figures(tmp_path):
    path = made(studies.close(make_judged_study(), actor=None, now=timezone.now()), tmp_path)
    table = members(path)["judgements.csv"].replace(b",B,treatment,", b",A,baseline,", 1)
    found = recompute(rewritten(path, tmp_path / "changed.zip", {"judgements.csv": table}))
    assert not found.is_whole
    assert found.checked.problems == ("judgements.csv has been changed",)
    assert any("win_score_b.estimate" in difference for difference in found.differences)


def test_missing_and_additional_files_are_noticed(tmp_path, hostile):
    found = recompute(rewritten(hostile.path, tmp_path / "changed.zip", {"trail.jsonl": None, "extra.txt": b"x"}))
    assert set(found.checked.problems) == {"trail.jsonl is missing", "extra.txt is not in SHA256SUMS"}
    assert "have been changed" in found.checked.sentence


def test_a_frozen_study_that_was_swapped_with_its_checksum_is_noticed(tmp_path, hostile):
    frozen = hostile.members["frozen.jsonl"] + b"{}\n"
    new = hashlib.sha256(frozen).hexdigest()
    sums = hostile.members["SHA256SUMS"].replace(hostile.frozen_sha256.encode(), new.encode())
    found = recompute(rewritten(hostile.path, tmp_path / "x.zip", {"frozen.jsonl": frozen, "SHA256SUMS": sums}))
    assert "not what the launch froze" in found.checked.sentence


def test_two_bundles_of_a_closed_study_are_the_same_byte_for_byte(tmp_path):
    study = make_hostile_study()
    first, second = made(study, tmp_path / "a"), made(study, tmp_path / "b")
    assert first.read_bytes() == second.read_bytes()


def test_the_bundle_has_every_file_and_a_checksum_of_each(hostile):
    found = hostile.members
    sums = dict(reversed(line.split("  ")) for line in found["SHA256SUMS"].decode().splitlines())
    assert sums == {n: hashlib.sha256(c).hexdigest() for n, c in found.items() if n != "SHA256SUMS"}
    assert {name for name in FILES if not name.endswith(".zip")} <= set(found)
    assert any(name.startswith("figures/") and name.endswith(".svg") for name in found)
    own = {"README.md", "study.json", "frozen.jsonl", "exclusions.csv", "trail.jsonl", "versions.json"}
    assert own <= set(found)
    assert sums["frozen.jsonl"] == hostile.frozen_sha256


def test_nobody_can_be_recognised_in_a_bundle(hostile):
    everything = b"".join(hostile.members.values())
    assert PLATFORM_ID[:40].encode() not in everything
    assert b"prof.example" not in everything
    assert not [code for code in hostile.codes if code.encode() in everything]


def test_engine_options_that_open_doors_are_left_out(tmp_path):
    study = make_judged_study(dialogues=2, k=1)
    model = study.matchups.get().baseline.responder
    model.options = {"dtype": "bfloat16", "api_key": "sk-1", "headers": [{"Authorization": "Bearer 2"}]}
    model.save()
    written = json.loads(members(made(study, tmp_path))["study.json"])
    (options,) = [each["options"] for each in written["models"] if each["slug"] == model.slug]
    assert options == {"dtype": "bfloat16", "api_key": "(left out)", "headers": [{"Authorization": "(left out)"}]}


def test_pages_are_as_annotators_saw_them_and_blind(hostile):
    found = {name: text.decode() for name, text in hostile.members.items() if name.endswith(".html")}
    page = found[f"pages/comparison-{hostile.comparison}.html"]
    assert "=HYPERLINK(&quot;x&quot;)" in page
    assert hostile.question in page
    assert "<style>" in page
    assert "stylesheet" not in page
    for name, text in found.items():
        assert "<script" not in text
        assert "csrfmiddlewaretoken" not in text
        assert "Guided" not in text, name
        assert "Thanos" not in text, name
    assert hostile.consent in found["pages/consent.html"]
    assert {"pages/instructions.html", "pages/guidelines.html"} <= set(found)


def test_of_very_many_comparisons_a_stated_sample_has_pages(tmp_path, monkeypatch):
    monkeypatch.setattr(drawing, "MOST", 3)
    study = make_judged_study(dialogues=8, k=1)
    found = members(made(study, tmp_path))
    assert len([name for name in found if name.startswith("pages/comparison-")]) == 3
    assert "A sample of 3 of 8 comparisons" in found["README.md"].decode()


def test_the_readme_is_written_for_the_study(hostile):
    readme = hostile.members["README.md"].decode()
    assert "demo augmenter, not Thanos" in readme
    assert "Every comparison is there" in readme
    assert "CC BY 4.0" in readme
    assert "python -m annotation.results" in readme


def test_the_ledger_says_what_does_not_count_and_why(hostile):
    ledger = hostile.members["exclusions.csv"].decode()
    assert "annotator," in ledger
    assert "comparison," in ledger
    assert "late answer," in ledger
    assert "'=HYPERLINK" in ledger


def test_every_bundle_is_noted_in_the_trail_with_its_checksum(tmp_path):
    study = make_judged_study(dialogues=2, k=1)
    bundle = make_bundle(study, tmp_path, pages=snapshots)
    (event,) = bundles_of(study)
    assert event.detail["sha256"] == hashlib.sha256(bundle.path.read_bytes()).hexdigest() == bundle.sha256
    assert event.detail["judgements"] == 6


def test_a_bundle_that_cannot_be_finished_leaves_nothing(tmp_path):
    study = make_judged_study(dialogues=2, k=1)

    def broken(study):
        raise RuntimeError("the page cannot be drawn")
        yield

    with pytest.raises(RuntimeError):
        make_bundle(study, tmp_path, pages=broken)
    assert list(tmp_path.iterdir()) == []
    assert bundles_of(study) == []


def test_the_command_makes_a_bundle_and_replaces_none_unless_told(tmp_path):
    study = make_judged_study(dialogues=2, k=1, name="Bundled")
    out = io.StringIO()
    call_command("export_study", "Bundled", out=tmp_path, bundle=True, stdout=out)
    assert (tmp_path / "bundled-bundle.zip").exists()
    assert bundles_of(study)[0].detail["sha256"] in out.getvalue()
    with pytest.raises(CommandError, match="would be replaced"):
        call_command("export_study", "Bundled", out=tmp_path, bundle=True)


def test_a_researcher_downloads_the_bundle(client):
    study = make_judged_study(dialogues=2, k=1)
    client.force_login(build.make_researcher())
    response = client.get(reverse("export", args=[study.code, "bundle.zip"]))
    content = b"".join(response.streaming_content)
    assert hashlib.sha256(content).hexdigest() == bundles_of(study)[0].detail["sha256"]
    assert zipfile.is_zipfile(io.BytesIO(content))


@pytest.mark.django_db(transaction=True)
def test_a_bundle_holds_one_moment_while_judgements_come_in(tmp_path):
    study = build.make_running_study(dialogues=2, k=1)
    first, second = study.slots.all()
    build.judge(first, build.make_annotator(study), ["treatment"] * 3)
    people = build.make_annotator(study)

    def pages_while_somebody_judges(study):
        _in_another_connection(lambda: build.judge(second, people, ["treatment"] * 3))
        yield from snapshots(study)

    found = members(make_bundle(study, tmp_path, pages=pages_while_somebody_judges).path)
    assert len(found["judgements.csv"].splitlines()) == 4
    assert "3 judgements" in found["README.md"].decode()
    assert study.annotators.filter(assignments__isnull=False).count() == 2
    assert b"1 left out" not in found["report.md"]


def _in_another_connection(work):
    """Do it in a thread, which has a connection of its own, and wait for it."""

    def run():
        work()
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


def test_nasty_names_give_a_plain_file_name(hostile):
    assert re.fullmatch(r"[a-z0-9-]{1,60}-bundle\.zip", hostile.path.name)
