"""What people do with a radio in the hand, as they type it in four languages; and a board to do it on."""

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from node.board.api import Draft, TextPatience
from node.board.pace import Visitor
from node.handheld.answers import Answerer
from node.handheld.turn import Question, Reception
from node.handheld.wording import KeepersWords
from node.i18n.catalogue import catalogue
from node.model.record import Kind

MOST_BYTES = 219
SOUP = {"fr": "Soupe ce soir à 19 h devant la mairie. Apportez un bol, du pain, et qui vous voulez.",
        "en": "Soup tonight at 7 in front of the town hall. Bring a bowl, some bread, and whom you like.",
        "es": "Sopa esta noche a las 19 delante del ayuntamiento. Traed un cuenco, pan y a quien queráis.",
        "ar": "حساء الليلة في السابعة أمام البلدية. أحضروا وعاء وخبزا ومن تحبون."}
CAT = {"fr": "Chat gris perdu rue des Envierges. ", "en": "Grey cat lost in Mill Street. ",
       "es": "Gato gris perdido en la calle Mayor. ", "ar": "قط رمادي ضائع في شارع الحديقة. "}
MEETING = {"fr": "AG des locataires", "en": "Tenants meet", "es": "Reunión de vecinos", "ar": "اجتماع السكان"}
WORDS = {  # task: what is typed, by language. The bulletin to read is the second of the list, as the newest one is the cat
    "menu": {"fr": ["?"], "en": ["help"], "es": ["ayuda"], "ar": ["مساعدة"]},
    "agenda": {"fr": ["agenda"], "en": ["Agenda"], "es": ["agenda"], "ar": ["مواعيد"]},
    "today": {"fr": ["aujourdhui"], "en": ["today"], "es": ["hoy"], "ar": ["اليوم"]},
    "tomorrow": {"fr": ["DEMAIN"], "en": ["tomorow"], "es": ["manana"], "ar": ["غدا"]},
    "a day": {"fr": ["agenda mercredi"], "en": ["wed"], "es": ["el miercoles"], "ar": ["الأربعاء"]},
    "this week": {"fr": ["cette semaine"], "en": ["this week"], "es": ["esta semana"], "ar": ["الاسبوع"]},
    "one bulletin": {"fr": ["nouvelles", "2"], "en": ["news", "2"], "es": ["noticias", "2"], "ar": ["أخبار", "٢"]},
    "a long bulletin": {"fr": ["nouvelle 1", "suite"], "en": ["news 1", "more"], "es": ["noticias 1", "mas"],
                        "ar": ["أخبار ١", "+"]},
    "search": {"fr": ["cherche soupe", "1"], "en": ["search soup", "1"], "es": ["buscar sopa", "1"],
               "ar": ["ابحث حساء", "1"]},
    "post": {"fr": ["publie Lait en poudre demandé"], "en": ["post Milk powder wanted"], "es": ["publica Se busca leche"],
             "ar": ["انشر مطلوب حليب"]},
    "reply": {"fr": ["nouvelles 3", "reponds J'en ai"], "en": ["news 3", "reply I have some"],
              "es": ["noticias 3", "responde Yo tengo"], "ar": ["أخبار 3", "رد عندي منه"]},
    "cancel": {"fr": ["annule"], "en": ["cancel"], "es": ["cancela"], "ar": ["ألغ"]},
    "status": {"fr": ["etat"], "en": ["status"], "es": ["estado"], "ar": ["حالة"]},
    "language": {"fr": ["langue"], "en": ["language"], "es": ["idioma"], "ar": ["لغة"]},
}


@dataclass
class Radio:
    """A hand-held that texts an island of `place`, half a minute apart; `answers` are what came back."""

    place: object
    tag: str = "fr"
    who: bytes = b"one"
    private: bool = True
    posting: str = "open"
    keepers: KeepersWords = field(default_factory=KeepersWords)
    answers: list = field(default_factory=list)
    now: float = 0.0
    answerer: Answerer | None = None

    def __post_init__(self):
        self.answerer = self.answerer or Answerer(self.place.board, Reception(
            "Place des Fêtes", ZoneInfo("Europe/Paris"), self.tag, MOST_BYTES, lambda: self.keepers,
            lambda tag, what: what.said(catalogue(tag)), TextPatience))

    def text(self, text, pause_s=30.0):
        """Send one; the answer, None for none."""
        self.now += pause_s
        question = Question(Visitor(self.who, self.who + b" before"), text, self.private)
        answer = self.answerer.answer(question, self.now)
        self.answers += [answer] if answer is not None else []
        assert answer is None or (len(answer.encode()) <= MOST_BYTES and "\ufffd" not in answer)
        return answer

    def another(self, who, **changed):
        """Another radio near the same island."""
        return Radio(self.place, self.tag, who, answerer=self.answerer, now=self.now, **changed)


def furnish(place, tag="fr"):
    """An evening's board, in one language: two bulletins, an event today, tomorrow and the day after."""
    language = ("fr", "en", "es", "ar").index(tag) + 1
    board = place.board
    for day in range(3):
        start = place.minute + 600 + 1440 * day
        board.post(Draft(Kind.EVENT, title=f"{MEETING[tag]} {day + 1}", start=start, end=start + 120, place="Café",
                         language=language, offset=4))
    posted = board.post(Draft(Kind.BULLETIN, SOUP[tag], language))
    place.archive.index(bytes.fromhex(posted.id), place.minute, SOUP[tag])
    place.clock.advance(60)
    board.post(Draft(Kind.BULLETIN, CAT[tag] * 12, language))
    return place


def octets(place, tag):
    """By task: messages sent, octets sent, octets that came back."""
    told, radio = {}, Radio(place, tag)
    for task, typed in WORDS.items():
        radio.now += 3_600.0  # each by somebody who was forgotten meanwhile, but for whoever takes back a post
        if task == "cancel":
            radio.text(WORDS["post"][tag][0])
        if task == "reply":
            radio.text(WORDS["post"][tag][0])
        back = [radio.text(text) for text in typed[tag]]
        told[task] = len(back), sum(len(text.encode()) for text in typed[tag]), sum(len(answer.encode()) for answer in back)
    return told, radio
