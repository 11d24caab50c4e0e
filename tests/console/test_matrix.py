"""Every address of the site x who asks x GET and POST, on a study of others: nothing is read and nothing is changed."""

import re
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.contrib import admin
from django.core.exceptions import FieldError
from django.test import Client
from django.urls import URLPattern, get_resolver
from django.utils import timezone

from annotation.admin.membership import OfStudy
from annotation.models import Annotator, Invitation, PayDecision, PlatformBatch, Study
from annotation.roles import Role
from tests import build
from tests.console.test_access import row_of
from tests.pages.people import answers, held_by, start

pytestmark = pytest.mark.django_db

SECRET = "The rivals' secret study"
# Wrong on purpose where the page is everybody's: signing in, the sign of life, and what is not made for one study.
FOR_EVERYBODY = {"admin/login/", "admin/logout/", "admin/jsi18n/", "healthz", "admin/", "platforms/prolific/events/"}
WAYS_TO_A_STUDY = (
    "study",
    "annotator__study",
    "assignment__annotator__study",
    "recruitment__study",
    "identity__annotator__study",
    "run__study",
    "bundle__study",
)
# What buttons, forms and pages ask for, all at once.
WORDS = {"reason": "because", "post": "yes", "deed": "pause", "places": "3", "decision": "approve", "number": "1"}


def routes(node=None, before="") -> Iterator[str]:
    """Every address of the site, with its parts that stand for something."""
    for part in (node or get_resolver()).url_patterns:
        route = before + str(part.pattern)
        if isinstance(part, URLPattern):
            yield route
        else:
            yield from routes(part, route)


def addresses(study: Study) -> Iterator[str]:
    """The same for the rows of one study: researchers' pages, and those of the admin for every button."""
    for route in routes():
        table = re.match(r"admin/([a-z_]+)/([a-z_]+)/", route)
        page = (
            admin.site._registry.get(apps.get_model(*table.groups())) if table and is_model(*table.groups()) else None
        )
        if "(" in route or route in FOR_EVERYBODY or (table and not isinstance(page, OfStudy)):
            continue
        if route.startswith("s/") or "<" not in route:
            continue
        buttons = [button.key for button in getattr(page, "row_actions", ())]
        for key in buttons if "<slug:key>" in route else ["win-score"]:
            yield filled(route, study, page, key)


def filled(route: str, study: Study, page, key: str) -> str:
    return "/" + re.sub(r"<(?:[a-z]+:)?([a-z_]+)>", lambda part: value(part[1], study, page, key), route)


def is_model(app: str, name: str) -> bool:
    return apps.is_installed(f"django.contrib.{app}") or name in apps.all_models.get(app, {})


def value(name: str, study: Study, page, key: str) -> str:
    row = row_of(page.model, study) if page else study.annotators.first()
    named = {"code": study.code, "study": study.pk, "number": 1, "kind": "all", "step": "instructions", "key": key}
    return str(named.get(name, "judgements.csv" if name == "name" else row.pk))


def rows_of(study: Study) -> dict[str, list]:
    """Everything that is stored of a study."""
    found = {"Study": list(Study.objects.filter(pk=study.pk).values())}
    for model in apps.get_app_config("annotation").get_models():
        for way in WAYS_TO_A_STUDY:
            try:
                rows = model._default_manager.filter(**{way: study.pk})
            except FieldError:
                continue
            found[model.__name__] = list(rows.order_by("pk").values())
            break
    return found


@pytest.fixture
def theirs(studies):
    """A study of others with something of everything, and a member of its own."""
    own, other = studies
    Study.objects.filter(pk=other.pk).update(name=SECRET, title=SECRET)
    build.make_member(other, Role.OWNER)
    ended = other.annotators.first()
    Annotator.objects.filter(pk=ended.pk).update(exit="completed", exited_at=timezone.now())
    PayDecision.objects.create(annotator=ended, decision="approve", decided_at=timezone.now())
    Invitation.objects.create(study=other, number=1, created_at=timezone.now(), expires_at=timezone.now())
    PlatformBatch.objects.create(recruitment=other.recruitment, name="First", key="first", places=5)
    other.refresh_from_db()
    return own, other


def somebody(who: str, own: Study) -> Client:
    client = Client(raise_request_exception=False)
    if who == "a stranger with an account":
        client.force_login(build.make_stranger())
    elif who != "nobody":
        client.force_login(build.make_member(own, who))
    return client


@pytest.mark.parametrize("who", ["nobody", "a stranger with an account", *Role])
def test_nobody_reads_or_changes_a_study_of_others(theirs, who):
    own, other = theirs
    client, before = somebody(who, own), rows_of(other)
    walked = list(addresses(other))
    assert len(walked) > 100
    for address in walked:
        for answer in (client.get(address), client.post(address, WORDS)):
            assert answer.status_code in {302, 403, 404, 405}, (address, answer.status_code)
            assert SECRET.encode() not in answer.content, address
    assert rows_of(other) == before


@pytest.mark.parametrize(("role", "group"), [(Role.VIEWER, "Researchers"), (Role.OWNER, "Viewers")])
def test_who_only_looks_on_changes_nothing_whatever_they_send(theirs, role, group):
    _, study = theirs
    client = Client(raise_request_exception=False)
    client.force_login(build.make_member(study, role, group=group))
    before = rows_of(study)
    for address in addresses(study):
        assert client.post(address, WORDS).status_code < 500, address
    after = rows_of(study)
    assert {name: after[name] for name in after if name != "StoredReport"} == {
        name: before[name] for name in before if name != "StoredReport"
    }


PARTS = ("", "draft/", "active/", "show/", "skip/", "change/", "report/")


@pytest.mark.parametrize("is_same_study", [True, False])
def test_annotators_reach_nobody_elses_work(is_same_study):
    """Every page of a comparison, asked for by somebody who does not hold it and never did."""
    study = build.make_running_study(dialogues=4, k=2)
    ana, ben = Client(), Client()
    hers = start(ana, study)
    first = held_by(hers)
    ana.post(f"/s/{study.code}/{first.code}/", answers(study))
    second = held_by(hers)
    his = start(ben, study if is_same_study else build.make_running_study(dialogues=4, k=2))
    home, mine = f"/s/{his.study.code}/", held_by(his)
    before = rows_of_person(hers)
    words = answers(study) | {"text": "Not mine.", "answers": "delete"}
    for code in (first.code, second.code, first.comparison.code, second.comparison.code):
        for part in PARTS:
            for answer in (ben.get(f"{home}{code}/{part}"), ben.post(f"{home}{code}/{part}", words)):
                assert answer.status_code in {302, 405, 409}, (part, answer.status_code)
                texts = (second.comparison.baseline_response.text, second.comparison.treatment_response.text)
                assert is_same_study or not any(text in answer.content.decode() for text in texts)
    if not is_same_study:
        assert ben.post(f"/s/{study.code}/{second.code}/", words)["Location"] == f"/s/{study.code}/"
    assert rows_of_person(hers) == before
    assert held_by(his) == mine


def rows_of_person(annotator: Annotator) -> list:
    kept = [*annotator.assignments.order_by("pk").values()]
    for assignment in annotator.assignments.all():
        kept += [*assignment.judgements.order_by("pk").values(), *assignment.problem_reports.values()]
    return [*kept, Annotator.objects.values().get(pk=annotator.pk)]
