"""Which of some languages in Latin script a text is most likely written in, by its function words. Pure: no Django.

Every language has a few dozen short words that make up a third or more of any running text and that other languages
lack. Their share tells languages apart from about eight words on; shorter texts, names, code and languages that are not
in the list get no answer. It is a guard against a model that answers in another language, not a test of fluency.
"""

import unicodedata
from collections import Counter
from functools import cache

# Below so many words a text says too little; below this share of function words it is in none of these languages.
FEWEST_WORDS = 8
LEAST_SHARE = 0.2
# Names of dishes and towns repeat one or two of them.
FEWEST_DIFFERENT = 4
# The best language must have so many times the share of the expected one.
CLEARLY_MORE = 2.0

FUNCTION_WORDS = {
    "en": "the a an and of to in is are was were be been it its that this these those i you he she we they me my "
    "your his her our their him them us not don't can will would could should have has had do does did for "
    "with on at by from as but or so if then than what who how when where why there here just about up out no "
    "yes i'm it's you're that's",
    "de": "der die das ein eine einen einem einer und ist sind war ich du er sie es wir ihr mich mir dich dir uns "
    "euch sein seine mein meine dein deine nicht kein keine auch auf mit von zu zum zur für dass wenn aber "
    "oder wie was wer noch nur so schon hat habe haben hast wird werden kann kannst bei nach aus im am den "
    "dem des sich doch mal ja nein",
    "fr": "le la les un une des du de et est sont je tu il elle nous vous ils elles me te se mon ma mes ton ta tes "
    "son sa ses ne pas que qui quoi dans sur avec pour par au aux ce cette ces mais ou où si comme plus être "
    "avoir ai as avez a c'est j'ai n'est d'un d'une qu'il y en très bien oui non",
    "es": "el la los las un una unos unas y o es son soy está están estoy yo tú él ella nosotros ellos me te se mi "
    "tu su mis tus sus no que qué quien como cómo en de del al con por para pero si sí más muy lo le les ha "
    "he hay ser estar cuando donde esto eso este esta también ya",
    "it": "il lo la i gli le un uno una e è sono sei siamo io tu lui lei noi voi loro mi ti si ci vi mio mia tuo "
    "tua suo sua non che chi cosa come di del della dei delle in nel nella con per da dal su al alla ma o se "
    "più anche ho hai ha questo questa quello molto sì no perché",
    "pt": "o a os as um uma e é são sou está estou eu você tu ele ela nós eles me te se meu minha seu sua teu não "
    "que quem como em no na nos nas de do da dos das com por para mas ou mais muito também já tem tenho há "
    "isso isto esse essa foi ser quando onde sim ao à",
    "nl": "de het een en is zijn was ben ik jij je hij zij ze wij we jullie mij me jou hem haar ons mijn jouw niet "
    "geen ook op met van voor naar aan in te dat die dit deze wat wie hoe als maar of dan nog wel er heb hebt "
    "heeft hebben kan wordt bij uit om ja nee",
    "sv": "en ett och är var jag du han hon vi ni de mig dig sig min mitt din ditt inte ingen också på med av för "
    "till att som det den denna detta vad vem hur om men eller så nu har hade kan ska vill från vid där här "
    "när ja nej",
    "da": "en et og er var jeg du han hun vi i de mig dig sig min mit din dit ikke ingen også på med af for til at "
    "som det den denne dette hvad hvem hvordan hvis men eller så nu har havde kan skal vil fra ved der her "
    "når ja nej",
    "no": "en et og er var jeg du han hun vi dere de meg deg seg min mitt din ditt ikke ingen også på med av for "
    "til å at som det den denne dette hva hvem hvordan hvis men eller så nå har hadde kan skal vil fra ved "
    "der her når ja nei",
    "fi": "ja on ei se että hän minä sinä me te he oli olen olet ovat mutta kun niin kuin myös jos tai vain nyt "
    "joka mitä mikä tämä minun sinun hänen en et ole siitä sitä voi hyvin kyllä",
    "pl": "i w na z do nie że to jest są był była się ja ty on ona my wy oni mnie ciebie mi ci mój moja twój jak co "
    "kto ale czy o od po za dla przez tak już tylko też ma mam masz być może bardzo tym tego jego jej gdy",
    "cs": "a v na se je jsou byl byla já ty on ona my vy oni mě tě mi ti můj tvůj jak co kdo ale nebo z ze do od po "
    "za pro že to ten ta ne už jen také má mám máš být může velmi když si jsem jsi",
    "tr": "ve bir bu şu o ben sen biz siz onlar benim senin ne nasıl kim için ile de da mi mı mu mü ama çok daha "
    "gibi var yok değil olan olarak en her şey evet hayır kadar sonra diye ki",
    "ro": "și un o este sunt era eu tu el ea noi voi ei mă te se îmi îți meu mea tău nu că ce cine cum în de la cu "
    "pe pentru dar sau dacă mai foarte și-a am ai are au a fost din asta acest această când unde da",
    "hu": "a az és egy van volt nem hogy én te ő mi ti ők is meg de ha már csak mint vagy ez ami aki mit ki hogyan "
    "nagyon még itt ott igen vagyok lesz kell el fel be azt ezt",
    "id": "dan yang di ke dari ini itu saya aku kamu dia kami kita mereka tidak bukan ada akan sudah belum bisa "
    "untuk dengan pada adalah juga atau tapi kalau apa siapa bagaimana karena lebih sangat ya jangan lagi",
    "vi": "và là của có không một những các tôi bạn anh chị em nó chúng này đó cho với trong được đã sẽ đang thì mà "
    "nhưng hay nếu gì ai như rất cũng ở từ đến vậy",
}


def other_language(words: list[str], expected: str) -> str:
    """Return the language that these words are clearly in, other than `expected` (a primary tag); "" where unclear.

    Words in small letters, without punctuation. An expected language that is not in the list is never contradicted.
    """
    if len(words) < FEWEST_WORDS or expected not in FUNCTION_WORDS:
        return ""
    plain = [unicodedata.normalize("NFC", word).replace("’", "'") for word in words]
    counts = Counter(language for word in plain for language in _languages().get(word, ()))
    shares = {language: counts[language] / len(plain) for language in FUNCTION_WORDS}
    best = max(shares, key=lambda language: shares[language])
    is_clear = shares[best] >= LEAST_SHARE and shares[best] > CLEARLY_MORE * shares[expected]
    is_clear &= len(_sets()[best].intersection(plain)) >= FEWEST_DIFFERENT
    return best if is_clear and best != expected else ""


@cache
def _languages() -> dict[str, list[str]]:
    """Return the languages of each word."""
    found: dict[str, list[str]] = {}
    for language, known in _sets().items():
        for word in known:
            found.setdefault(word, []).append(language)
    return found


@cache
def _sets() -> dict[str, frozenset[str]]:
    return {language: frozenset(words.split()) for language, words in FUNCTION_WORDS.items()}
