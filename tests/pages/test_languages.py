"""The annotators' pages in every language: complete, in the study's language or the browser's, never half and half."""

import gettext
import os
import re
import shutil
import subprocess
import sys

import polib
import pytest
from django.conf import settings

from tests import build
from tests.pages.people import answers, held_by, page_of, start
from webapp.env import ROOT

TRANSLATED = [code for code, _ in settings.LANGUAGES if code != "en"]
NAMES = re.compile(r"%\((\w+)\)s")
TAGS = re.compile(r"<[^>]+>")


def catalogue(language) -> polib.POFile:
    return polib.pofile(str(ROOT / "locale" / language / "LC_MESSAGES" / "django.po"))


def translations_of(entry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


@pytest.mark.skipif(not shutil.which("xgettext"), reason="no xgettext on PATH (apt-get install gettext)")
def test_every_sentence_of_the_pages_is_in_every_catalogue(tmp_path):
    for folder in ("annotation", "templates"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "locale").mkdir()
    collect = [sys.executable, "-m", "django", "makemessages", "--locale", "de", "--no-wrap"]
    env = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    subprocess.run(collect, cwd=tmp_path, env=env, check=True, capture_output=True)
    said = {entry.msgid for entry in polib.pofile(str(tmp_path / "locale" / "de" / "LC_MESSAGES" / "django.po"))}
    for language in TRANSLATED:
        assert said ^ {entry.msgid for entry in catalogue(language)} == set(), language


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_sentence_is_translated_with_its_figures_and_marks(language):
    for entry in catalogue(language):
        assert "fuzzy" not in entry.flags, entry.msgid
        for text in translations_of(entry):
            assert text.strip(), entry.msgid
            # A plural form may say "one" or "two" in words.
            allowed = set(NAMES.findall(entry.msgid + entry.msgid_plural))
            found = set(NAMES.findall(text))
            assert found == allowed or (entry.msgid_plural and found < allowed), entry.msgid
            assert sorted(TAGS.findall(text)) == sorted(TAGS.findall(entry.msgid)), entry.msgid


@pytest.mark.parametrize("language", TRANSLATED)
def test_what_runs_is_what_the_catalogue_says(language):
    folder = ROOT / "locale" / language / "LC_MESSAGES"
    with (folder / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for entry in catalogue(language):
        if entry.msgid_plural:
            found = [compiled._catalog[entry.msgid, form] for form in entry.msgstr_plural]
        else:
            found = [compiled.gettext(entry.msgid)]
        assert found == translations_of(entry), f"Run make messages: {entry.msgid}"


GREETINGS = {"de": "Absenden", "es": "Enviar", "ar": "إرسال", "en": "Submit"}


def rating_page(client, language, **headers):
    """The page of the first comparison, and the part that the next one comes in."""
    study = build.make_running_study(language=language)
    held = held_by(start(client, study))
    page = client.get(page_of(held), headers=headers)
    part = client.post(page_of(held), answers(study), headers=headers | {"hx-request": "true"})
    return page.content.decode(), part.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("language", [*TRANSLATED, "en"])
def test_pages_speak_the_language_of_the_study_whatever_the_browser_prefers(client, language):
    for text in rating_page(client, language, **{"accept-language": "es" if language != "es" else "de"}):
        assert GREETINGS[language] in text
        assert not any(word in text for other, word in GREETINGS.items() if other != language)


@pytest.mark.django_db
@pytest.mark.parametrize("language", TRANSLATED)
def test_a_study_without_a_language_follows_the_browser(client, language):
    for text in rating_page(client, "", **{"accept-language": f"{language},en;q=0.5"}):
        assert GREETINGS[language] in text


@pytest.mark.django_db
def test_texts_of_a_language_without_pages_stand_as_they_are_under_the_browsers(client):
    study = build.make_running_study(language="fi", title="Kumpi vastaus on parempi?")
    landing = client.get(f"/s/{study.code}/", headers={"accept-language": "de"}).content.decode()
    assert "Kumpi vastaus on parempi?" in landing
    assert "Zustimmen und beginnen" in landing


@pytest.mark.django_db
def test_a_regional_tag_is_its_language(client):
    study = build.make_running_study(language="de-AT")
    assert "Zustimmen und beginnen" in client.get(f"/s/{study.code}/").content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(("language", "direction"), [("ar", "rtl"), ("de", "ltr")])
def test_every_page_from_landing_to_the_end_says_its_language_and_direction(client, language, direction):
    study = build.make_running_study(dialogues=1, k=1, language=language)
    home = f"/s/{study.code}/"
    seen = [client.get(home), client.get(f"{home}declined/")]
    held = held_by(start(client, study))
    seen += [client.get(page_of(held)), client.get(page_of(held, "report/")), client.get(f"{home}leave/")]
    seen += [client.get(f"{home}instructions/"), client.get(f"{home}guidelines/")]
    client.post(page_of(held), answers(study))
    seen += [client.get(f"{home}next/"), client.post(f"{home}finish/", follow=True)]
    for page in seen:
        assert f'<html lang="{language}" dir="{direction}">' in page.content.decode()
        assert page.headers["Content-Language"] == language


@pytest.mark.django_db
def test_a_study_refuses_a_language_that_is_no_tag():
    study = build.make_study(language="German please")
    with pytest.raises(Exception, match="Write a language tag such as de or pt-BR"):
        study.full_clean()
