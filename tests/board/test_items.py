"""What other islands send is shown only as far as it claims no more than it may and can be read safely."""

import threading

import pytest

from node.board.drafts import FIELD_MARK, is_link, is_readable
from node.board.items import Reader
from node.model.record import Kind, decode, record_id
from node.store.index import Row
from node.store.memory import MemoryStore
from node.textpack import pack
from tests.sim.village import DAY, Village, at, live, take

NOBODY = bytes(8)


class Past(MemoryStore):
    """An archive is to reading what a store is; it remembers no text."""

    def texts(self, ids):
        return {}

    def beginning_with(self, start):
        return [row.id for row in self.rows() if row.id.startswith(start)]

    def keep_text(self, id_, text):
        pass


def reader(liveset, past=(), hidden=()):
    archive = Past()
    archive.commit([Row.of(decode(raw), raw, 0) for raw in past])
    return Reader(liveset, archive, NOBODY, lambda: hidden, threading.Lock())


def texts(liveset, *raws):
    shown = reader(liveset)
    return [item.text if (item := shown.live(record_id(raw))) else None for raw in raws]


def test_a_correction_of_what_another_wrote_is_not_shown_and_changes_nothing():
    village = Village()
    first = village.bulletin("founder", "vrai")
    forged = village.bulletin("ben", "faux", minute=5, life=99, target=record_id(first)[:8])
    liveset = live(village, [village.vouch("founder", "ben"), forged, first])
    assert texts(liveset, first, forged) == ["vrai", None]
    assert reader(liveset).find(record_id(first).hex()).text == "vrai"
    assert reader(liveset).find(record_id(first).hex()[:8]).text == "vrai"


def test_the_address_of_the_first_version_leads_to_the_newest():
    village = Village()
    first = village.bulletin(text="avant")
    second = village.bulletin(text="après", minute=3, target=record_id(first)[:8])
    liveset = live(village, [first, second])
    for typed in (record_id(first).hex(), record_id(first).hex()[:8], record_id(second).hex()):
        assert reader(liveset).find(typed).text == "après"


@pytest.mark.parametrize("text", ["sonne \x07", "\u202egnihtemos", "z" + "\u0335" * 5, "a\x1fb", "nul \0"])
def test_a_text_that_could_deceive_is_relayed_but_not_shown(text):
    village = Village()
    raw = village.bulletin(text=text)
    assert texts(live(village, [raw]), raw) == [None]
    assert not is_readable(text)


@pytest.mark.parametrize("text", ["\u200b", "\u3164\u2800", "", " \n", "\u0301", "\U000e0041"])
def test_a_text_that_shows_nothing_is_relayed_but_not_shown(text):
    village = Village()
    raw = village.bulletin(text=text)
    liveset = live(village, [raw])
    assert texts(liveset, raw) == [None] and record_id(raw) in liveset


@pytest.mark.parametrize("text", ["Été à Liège\n\tdeux lignes", "مَرْحَبًا", "Tiếng Việt: ẵ ậ", "🍲👩‍👩‍👧", "e\u0301\u0323"])
def test_writing_of_all_kinds_is_shown(text):
    village = Village()
    raw = village.bulletin(text=text)
    assert texts(live(village, [raw]), raw) == [text]


def test_bytes_that_no_coder_made_are_not_shown():
    village = Village()
    raw = village.sign("founder", Kind.BULLETIN, packed=b"\xff\xfe", codec=0)
    unknown = village.sign("founder", Kind.BULLETIN, packed=b"x", codec=15)
    assert texts(live(village, [raw, unknown]), raw, unknown) == [None, None]


def test_a_text_is_decoded_once_also_when_it_cannot_be_read():
    village = Village()
    codec, packed = pack("Soupe ce soir à dix-neuf heures, place du marché", 1)
    good = village.sign("founder", Kind.BULLETIN, packed=packed, codec=codec)
    bad = village.sign("founder", Kind.BULLETIN, packed=packed + b"\0", codec=codec)
    liveset = live(village, [good, bad])
    shown = reader(liveset)
    for _ in range(2):
        assert shown.live(record_id(good)).text.startswith("Soupe")
        assert shown.live(record_id(bad)) is None
        take(liveset, [village.bulletin(text="autre")], at(0))
    assert shown.texts.decoded == 2


@pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "http://", "https://a b", "//evil", "http://[x"])
def test_an_event_from_elsewhere_never_links_to_a_script(link):
    village = Village()
    raw = village.event(text=FIELD_MARK.join(["Bal", "Parc", "Nous", "Venez", link]))
    item = reader(live(village, [raw])).live(record_id(raw))
    assert (item.title, item.text, item.link) == ("Bal", "Venez", "")
    assert not is_link(link)


def test_a_name_of_several_lines_is_shown_as_one():
    village = Village()
    codec, packed = pack("Café\n\nde la gare")
    detail = decode(village.vouch("founder", "ana")).detail
    vouch = village.sign("founder", Kind.VOUCH, life=9_000, codec=codec, packed=packed, detail=detail)
    liveset = live(village, [vouch])
    assert reader(liveset).author(village.key("ana").key_id).name == "Café de la gare"
    assert reader(liveset).author(NOBODY).name == NOBODY.hex()


def test_past_posts_are_shown_while_their_author_stands_and_not_once_revoked():
    village = Village()
    post = village.bulletin("ana", "hier", minute=10, life=1)
    liveset = live(village, [village.vouch("founder", "ana")])
    assert reader(liveset, [post]).find(record_id(post).hex()).text == "hier"
    take(liveset, [village.revoke("founder", "ana", since=5)], at(DAY))
    assert reader(liveset, [post]).find(record_id(post).hex()) is None


def test_a_past_row_somebody_edited_is_not_shown():
    village = Village()
    post = village.bulletin("founder", "hier", life=1)
    edited = post[:20] + b"X" + post[21:]
    assert reader(live(village), [edited]).find(record_id(edited).hex()) is None


def test_an_event_is_cancelled_by_its_author_only():
    village = Village()
    event = village.event()
    root = record_id(event)[:8]
    liveset = live(village, [village.vouch("founder", "ben"), event,
                             village.sign("ben", Kind.CANCELLATION, 1, 99, packed=b"faux", target=root)])
    assert reader(liveset).live(record_id(event)).cancelled is None
    take(liveset, [village.sign("founder", Kind.CANCELLATION, 2, 99, packed=b"pluie", target=root)])
    assert reader(liveset).live(record_id(event)).cancelled == "pluie"


def test_what_is_hidden_is_found_by_nobody_but_keepers():
    village = Village()
    post = village.bulletin()
    hidden = reader(live(village, [post]), hidden={record_id(post)[:8]})
    assert hidden.live(record_id(post)) is None and hidden.find(record_id(post).hex()) is None
    assert hidden.hidden_item(record_id(post)[:8]).text == "bonjour"


@pytest.mark.parametrize("typed", ["", "zz", "é" * 32, "0" * 31, "f" * 7, "f" * 33, "../etc"])
def test_an_address_that_names_nothing_finds_nothing(typed):
    village = Village()
    assert reader(live(village, [village.bulletin()])).find(typed) is None
