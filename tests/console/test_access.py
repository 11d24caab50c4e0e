"""Every page and button x every role x one's own study and another's: who sees what, and who is turned away."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.db.models import ForeignKey
from django.test import Client
from django.urls import reverse

from annotation.admin.membership import OfStudy
from annotation.models import Annotator, Assignment, Comparison, GenerationRun, Membership, Recruitment, Study
from annotation.roles import Role
from tests import build
from tests.console.forms import fields_of
from tests.console.test_admin_pages import page

pytestmark = pytest.mark.django_db

OF_A_STUDY = [model for model, page in admin.site._registry.items() if isinstance(page, OfStudy)]


def sign_in(member) -> Client:
    client = Client()
    client.force_login(member)
    return client


def pages_of(study) -> dict[str, str]:
    """What a researcher opens of a study, by name."""
    named = {name: reverse(name, args=[study.code]) for name in ("results", "monitor", "preview")}
    named["judgements.csv"] = reverse("export", args=[study.code, "judgements.csv"])
    named["panel"] = reverse("admin:annotation_study_panel", args=[study.pk])
    return named


def row_of(model, study):
    """A row of the study in that table."""
    path = admin.site._registry[model].study_path or "pk"
    return model._default_manager.filter(**{path: study.pk}).first()


def test_every_table_with_rows_of_a_study_asks_for_membership():
    owners = {Study, Annotator, Assignment, Comparison, GenerationRun}
    belongs = {
        model
        for model in admin.site._registry
        if any(isinstance(field, ForeignKey) and field.related_model in owners for field in model._meta.get_fields())
    }
    assert belongs - set(OF_A_STUDY) == set()


@pytest.mark.parametrize("role", list(Role))
def test_members_open_their_own_study_and_no_other(studies, role):
    own, other = studies
    client = sign_in(build.make_member(own, role))
    assert {name: client.get(address).status_code for name, address in pages_of(own).items()} == dict.fromkeys(
        pages_of(own), 200
    )
    assert {name: client.get(address).status_code for name, address in pages_of(other).items()} == dict.fromkeys(
        pages_of(other), 403
    )


@pytest.mark.parametrize("role", list(Role))
def test_lists_and_forms_of_the_admin_show_rows_of_ones_own_studies(studies, role):
    own, other = studies
    client = sign_in(build.make_member(own, role))
    for model in OF_A_STUDY:
        listed = client.get(page(model, "changelist"))
        assert listed.status_code == 200, model
        path = admin.site._registry[model].study_path or "pk"
        assert {*listed.context["cl"].queryset.values_list(path, flat=True)} == {own.pk}, model
        assert client.get(page(model, "change", row_of(model, own).pk)).status_code == 200, model
        assert client.get(page(model, "change", row_of(model, other).pk)).status_code in {302, 403, 404}, model
        assert client.get(page(model, "history", row_of(model, other).pk)).status_code in {302, 403, 404}, model


def test_filters_do_not_name_studies_of_others(studies):
    own, other = studies
    Study.objects.filter(pk=other.pk).update(name="The rivals' secret study")
    client = sign_in(build.make_member(own, Role.OWNER))
    for model in OF_A_STUDY:
        assert "secret study" not in client.get(page(model, "changelist")).content.decode(), model
    assert "secret study" not in client.get("/admin/").content.decode()


def buttons_of(study):
    """Every button of every table, on a row of the study: model, row, key."""
    for model in OF_A_STUDY:
        for action in getattr(admin.site._registry[model], "row_actions", ()):
            yield reverse(f"admin:annotation_{model._meta.model_name}_do", args=[row_of(model, study).pk, action.key])


def test_viewers_press_no_button_and_members_none_of_another_study(studies):
    own, other = studies
    viewer, owner = sign_in(build.make_member(own)), sign_in(build.make_member(own, Role.OWNER))
    before = [Study.objects.values().get(pk=study.pk) for study in studies]
    assert {viewer.post(address).status_code for address in buttons_of(own)} == {403}
    assert {owner.post(address).status_code for address in buttons_of(other)} == {404}
    assert [Study.objects.values().get(pk=study.pk) for study in studies] == before


def test_researchers_press_buttons_and_only_owners_delete(studies):
    own, _ = studies
    researcher = sign_in(build.make_member(own, Role.RESEARCHER))
    pause = reverse("admin:annotation_study_do", args=[own.pk, "pause"])
    assert researcher.post(pause).status_code == 302
    assert Study.objects.get(pk=own.pk).state == "paused"
    delete = reverse("admin:annotation_study_do", args=[own.pk, "delete-rehearsal"])
    assert researcher.post(delete).status_code == 403


def test_a_role_adds_nothing_to_what_the_group_allows(studies):
    own, _ = studies
    client = sign_in(build.make_member(own, Role.OWNER, group="Viewers"))
    assert client.get(pages_of(own)["results"]).status_code == 200
    assert client.post(reverse("admin:annotation_study_do", args=[own.pk, "pause"])).status_code == 403


def test_who_left_the_team_sees_nothing(studies):
    own, _ = studies
    member = build.make_member(own, Role.OWNER)
    client = sign_in(member)
    Membership.objects.filter(user=member).delete()
    assert {client.get(address).status_code for address in pages_of(own).values()} == {403}


def save_members(client, study, *rows):
    """Send the study's form with these rows of members: (user, role, is removed)."""
    address = page(Study, "change", study.pk)
    form = fields_of(client.get(address))
    form["memberships-TOTAL_FORMS"] = str(len(rows))
    for n, (user, role, is_removed) in enumerate(rows):
        membership = Membership.objects.filter(study=study, user=user).first()
        row = {"id": membership.pk if membership else "", "study": study.pk, "user": user.pk, "role": role}
        form |= {f"memberships-{n}-{name}": str(value) for name, value in row.items()}
        form |= {f"memberships-{n}-DELETE": "on"} if is_removed else {}
    return client.post(address, form, follow=True)


def test_an_owner_shares_the_study_and_the_trail_says_so(studies):
    own, _ = studies
    owner, guest = build.make_member(own, Role.OWNER), build.make_member(None)
    save_members(sign_in(owner), own, (owner, "owner", False), (guest, "viewer", False))
    assert sign_in(guest).get(pages_of(own)["results"]).status_code == 200
    event = own.events.filter(verb="share").get()
    assert (event.actor, event.detail) == (owner, {"user": guest.username, "role": "viewer"})


def test_the_last_owner_stays(studies):
    own, _ = studies
    owner = build.make_member(own, Role.OWNER)
    answer = save_members(sign_in(owner), own, (owner, "owner", True))
    assert "A study needs an owner" in answer.content.decode()
    assert Membership.objects.filter(user=owner).exists()


def test_a_researcher_cannot_make_themselves_an_owner(studies):
    own, _ = studies
    researcher = build.make_member(own, Role.RESEARCHER)
    save_members(sign_in(researcher), own, (researcher, "owner", False))
    assert Membership.objects.get(user=researcher).role == Role.RESEARCHER


def test_whoever_makes_a_study_owns_it_and_its_copies():
    member = build.make_member(None)
    client = sign_in(member)
    form = fields_of(client.get(page(Study, "add"))) | {"name": "Mine", "title": "Which is better?"}
    client.post(page(Study, "add"), form)
    study = Study.objects.get(name="Mine")
    assert study.memberships.get().role == Role.OWNER
    client.post(reverse("admin:annotation_study_do", args=[study.pk, "copy"]))
    assert Study.objects.get(name="Mine (2)").memberships.get().user == member


def test_a_rehearsal_has_the_members_of_its_study_also_when_they_change(studies):
    """It shows the same dialogues and responses, so whoever leaves the study leaves its rehearsals."""
    own, _ = studies
    owner, leaves, comes = build.make_member(own, Role.OWNER), build.make_member(own), build.make_member(None)
    client = sign_in(owner)
    client.post(reverse("admin:annotation_study_do", args=[own.pk, "rehearse"]))
    page_of = reverse("preview", args=[own.rehearsals.get().code])
    assert sign_in(leaves).get(page_of).status_code == 200
    save_members(client, own, (owner, "owner", False), (leaves, "viewer", True), (comes, "viewer", False))
    assert sign_in(leaves).get(page_of).status_code == 403
    assert sign_in(comes).get(page_of).status_code == 200


def test_the_trail_names_whoever_was_replaced_in_a_row(studies):
    own, _ = studies
    owner, old, new = build.make_member(own, Role.OWNER), build.make_member(own), build.make_member(None)
    address = page(Study, "change", own.pk)
    client = sign_in(owner)
    form = fields_of(client.get(address))
    row = next(name for name, value in form.items() if name.endswith("-user") and value == [str(old.pk)])
    client.post(address, form | {row: str(new.pk)})
    told = [(event.verb, event.detail) for event in own.events.filter(verb__endswith="share")]
    assert told == [("unshare", {"user": old.username}), ("share", {"user": new.username, "role": "viewer"})]


def test_studies_of_others_that_rule_people_out_stay_when_somebody_else_saves(studies):
    own, other = studies
    own.recruitment.not_if_took_part_in.add(other)
    client = sign_in(build.make_member(own, Role.RESEARCHER))
    address = page(Recruitment, "change", own.recruitment.pk)
    form = fields_of(client.get(address))
    assert client.post(address, form).status_code == 302
    assert own.recruitment.not_if_took_part_in.get() == other
    assert client.post(address, form | {"not_if_took_part_in": [str(other.pk)]}).status_code == 200


TAKEN = {
    "annotators.csv": "annotators-csv",
    "decisions.csv": "decisions_file",
    "judgements.csv": "export",
}


@pytest.mark.parametrize("name", TAKEN)
def test_every_file_that_leaves_a_study_stands_in_its_trail(studies, name):
    own, _ = studies
    viewer = build.make_member(own)
    address = TAKEN[name]
    where = reverse(address, args=[own.code, name] if address == "export" else [own.code])
    assert sign_in(viewer).head(where).status_code == 200
    assert sign_in(viewer).get(where).status_code == 200
    event = own.events.get(verb="export")
    assert (event.actor, event.detail) == (viewer, {"files": [name]})


def test_every_change_on_the_pages_of_a_study_stands_in_its_trail(studies):
    own, _ = studies
    client = sign_in(build.make_member(own, Role.OWNER))
    Study.objects.filter(pk=own.pk).update(state="draft", frozen_sha256="")
    address = page(Study, "change", own.pk)
    form = fields_of(client.get(address))
    question = {"position": "1", "text": "What do you judge?", "options": "Replies\nPeople", "right_option": "1"}
    form |= {f"comprehension_questions-0-{name}": value for name, value in question.items()}
    form |= {"comprehension_questions-TOTAL_FORMS": "1"}
    assert client.post(address, form).status_code == 302
    recruitment = page(Recruitment, "change", own.recruitment.pk)
    form = fields_of(client.get(recruitment)) | {"exit_codes-TOTAL_FORMS": "1", "exit_codes-0-exit": "completed"}
    assert client.post(recruitment, form | {"exit_codes-0-code": "SECRET1"}).status_code == 302
    run = row_of(GenerationRun, own)
    for key in ("pause", "cancel"):
        client.post(reverse("admin:annotation_generationrun_do", args=[run.pk, key]))
    client.post(reverse("admin:annotation_recruitment_do", args=[own.recruitment.pk, "make-codes"]))
    client.post(page(Recruitment, "delete", own.recruitment.pk), {"post": "yes"})
    told = list(own.events.exclude(verb__in=("launched", "recruitment")).order_by("pk").values_list("verb", flat=True))
    assert told == ["edited", "exit codes", "pause run", "cancel run", "exit codes", "recruitment removed"]
    assert own.events.get(verb="edited").detail == {"fields": ["comprehension questions"]}
    assert "SECRET1" not in str(list(own.events.values()))


def test_whoever_manages_accounts_makes_nobody_a_superuser_and_opens_none_of_their_accounts():
    manager, boss = build.make_member(None), build.make_researcher()
    manager.user_permissions.set(Permission.objects.filter(content_type__app_label="auth"))
    client = sign_in(manager)
    own = page(User, "change", manager.pk)
    form = fields_of(client.get(own)) | {"is_superuser": "on", "first_name": "Mo"}
    assert client.post(own, form).status_code == 302
    manager.refresh_from_db()
    assert (manager.first_name, manager.is_superuser) == ("Mo", False)
    assert client.post(page(User, "change", boss.pk), form).status_code == 403
    words = {"password1": "a new and quiet one", "password2": "a new and quiet one", "usable_password": "true"}
    assert client.post(reverse("admin:auth_user_password_change", args=[boss.pk]), words).status_code == 403
    assert client.post(page(User, "delete", boss.pk), {"post": "yes"}).status_code == 403
    assert User.objects.get(pk=boss.pk).password == boss.password
