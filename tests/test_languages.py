"""Another language is told by its small words: what is caught, and what must never be."""

import json

import pytest

from annotation.languages import FUNCTION_WORDS, other_language
from annotation.quality import Context, Flag, check, words
from webapp.env import ROOT

SAID = {
    "en": "I know what you mean, and I think that you should tell her about it before the weekend.",
    "de": "Ich weiß, was du meinst, und ich glaube, dass du es ihr noch vor dem Wochenende sagen musst.",
    "fr": "Je comprends ce que tu veux dire, et je pense que tu dois lui en parler avant la fin de la semaine.",
    "es": "Entiendo lo que quieres decir y creo que debes hablar con ella de esto antes de que sea muy tarde.",
    "it": "Capisco che cosa vuoi dire e credo che tu le debba parlare di questo prima della fine della settimana.",
    "pt": "Eu entendo o que você quer dizer e acho que você tem de falar com ela antes do fim da semana.",
    "nl": "Ik begrijp wat je bedoelt en ik denk dat je het haar nog voor het weekend moet vertellen.",
    "sv": "Jag förstår vad du menar och jag tror att du ska berätta det för henne innan det är för sent.",
    "fi": "Minä ymmärrän mitä sinä tarkoitat, mutta en ole varma, että hän on nyt kotona, kun te tulette.",
    "pl": "Rozumiem, co masz na myśli, ale nie jest to już tak proste, jak ci się może wydawać.",
    "tr": "Ne demek istediğini anlıyorum ama bu çok zor bir şey ve ben de senin gibi ne için olduğunu bilmiyorum.",
    "id": "Saya mengerti apa yang kamu maksud, dan saya pikir kamu bisa bicara dengan dia karena ini sudah lama.",
}


@pytest.mark.parametrize("language", sorted(SAID))
def test_each_language_is_itself_and_clearly_not_english(language):
    assert other_language(words(SAID[language]), language) == ""
    assert other_language(words(SAID[language]), "en") == ("" if language == "en" else language)


@pytest.mark.parametrize("language", sorted(set(SAID) - {"en"}))
def test_english_in_a_dialogue_of_another_language_is_found(language):
    assert other_language(words(SAID["en"]), language) == "en"


@pytest.mark.parametrize(
    "text",
    [
        "Oui, merci, mon ami!",
        "Bonjour! That is all the French that I have, I am afraid.",
        "Ana, Luis, Marta, Chen, Olek, Rui, Berta, Jule, Amina",
        "Spaghetti alla carbonara, tagliatelle al ragù, risotto alla milanese, tiramisù!",
        "Okay okay okay okay okay okay okay okay okay",
        "",
    ],
)
def test_greetings_names_and_menus_are_no_other_language(text):
    assert other_language(words(text), "en") == ""


def test_a_language_that_is_not_known_is_never_contradicted():
    assert other_language(words(SAID["en"]), "sw") == ""


def test_no_bundled_turn_is_taken_for_another_language():
    lines = (ROOT / "annotation" / "content" / "dialogues.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [turn["text"] for line in map(json.loads, lines) for turn in line["turns"]]
    assert len(texts) > 200
    assert [text for text in texts if other_language(words(text), "en")] == []


def test_a_response_in_another_language_is_flagged():
    context = Context(turns=["How was it?"], speakers=["Ana", "Ben"], next_speaker="Ana", language="en-GB")
    assert Flag.WRONG_LANGUAGE in check(SAID["de"], context=context, cut_off=False).flags
    assert check(SAID["en"], context=context, cut_off=False).flags == ()


def test_lists_hold_no_word_twice():
    assert {language: len(each.split()) - len(set(each.split())) for language, each in FUNCTION_WORDS.items()} == (
        dict.fromkeys(FUNCTION_WORDS, 0)
    )
