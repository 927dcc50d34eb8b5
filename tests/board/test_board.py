"""The board: what people post comes out as they typed it, and only they, or keepers, can change what is shown."""

import json
from dataclasses import replace

import pytest

from node.board.api import BoardClosed, Draft, Problem
from node.board.moderation import MAX_WELCOME
from node.board.status import RulesStatus, StoreStatus
from node.model.keys import SigningKey
from node.model.record import Kind, Record, Revocation, Right, Vouch
from node.replica.quota import Category, Limit
from node.store.index import StoreFailed
from node.store.memory import MemoryStore
from node.textpack import pack
from tests.sim.places import ELSEWHERE, FOUNDER, GROUP, HERE, Place, add_group, event, problems
from tests.sim.village import spoilt


def test_a_bulletin_comes_out_as_it_was_typed(place):
    text = "Été | # @ $ ,, 🍲\nسلام — l’eau\u00a0!"
    posted = place.board.post(Draft(Kind.BULLETIN, text=text, topic=4))
    item = place.board.item(posted.id)
    assert (item.text, item.topic, item.author.name, item.author.here) == (text, 4, "Café", True)
    assert place.board.bulletins().items == [replace(item, replies=())]


def test_an_event_comes_out_with_all_its_fields(place):
    draft = event(place)
    item = place.board.item(place.board.post(draft).id)
    for name in ("title", "start", "end", "place", "organiser", "text", "link", "offset"):
        assert getattr(item, name) == getattr(draft, name)
    assert item.position == pytest.approx(draft.position, abs=0.0001)
    assert place.board.events(draft.start, draft.start + 1) == [replace(item, replies=())]
    assert place.board.events(draft.end, draft.end + 1) == []


def test_an_event_without_an_end_is_found_at_its_start(place):
    draft = event(place, end=None)
    place.board.post(draft)
    assert len(place.board.events(draft.start, draft.start + 60)) == 1


def test_nobody_reads_events_that_have_ended(place):
    for hours in (1, 30):
        start = place.minute + 60 * hours
        place.board.post(event(place, title=f"Dans {hours} h", start=start, end=start + 60))
    place.pass_days(0.5)
    assert [item.title for item in place.board.events(place.minute, place.minute + 10_000)] == ["Dans 30 h"]
    assert place.board.reader.texts.decoded == 2  # that event, and its author's name


@pytest.mark.parametrize(("change", "problem"), [
    ({"text": " \n"}, ("text", "empty")),
    ({"text": "a\x00b"}, ("text", "control-character")),
    ({"text": "a\u202eb"}, ("text", "control-character")),
    ({"text": "z" + "\u0300\u0301\u0302\u0303\u0304\u0305"}, ("text", "control-character")),
    ({"text": "".join(map(chr, range(0x4e00, 0x4e00 + 900)))}, ("text", "too-long")),
    ({"text": "x" * 30_000}, ("text", "too-long")),
    ({"life_days": 91}, ("life_days", "life")),
    ({"topic": 99}, ("topic", "not-offered")),
    ({"language": 12}, ("language", "not-offered")),
    ({"urgent": True}, ("urgent", "urgent-not-allowed")),
    ({"kind": Kind.REPLY}, ("target", "target-gone")),
    ({"kind": Kind.VOUCH}, ("kind", "not-offered")),
])
def test_what_cannot_be_posted_is_said_before(place, change, problem):
    draft = replace(Draft(Kind.BULLETIN, text="Bonjour"), **change)
    assert problem in problems(place.board.cost, draft) == problems(place.board.post, draft)
    assert place.board.bulletins().items == []


@pytest.mark.parametrize(("change", "problem"), [
    ({"title": ""}, ("title", "empty")),
    ({"start": None}, ("start", "start-missing")),
    ({"end": 1}, ("end", "end-before-start")),
    ({"start": 1, "end": 2}, ("start", "past")),
    ({"start": 2_000_000, "end": None}, ("start", "too-far")),
    ({"link": "javascript:alert(1)"}, ("link", "link")),
    ({"position": (91.0, 0.0)}, ("position", "position")),
    ({"title": "x" * 121}, ("title", "too-long")),
])
def test_what_is_wrong_with_an_event_is_said_before(place, change, problem):
    assert problem in problems(place.board.post, event(place, **change))


def test_an_event_may_end_in_a_minute_at_least_and_in_four_hundred_days_at_most(place):
    def ends(minute):
        return event(place, start=minute - 1, end=minute)

    farthest = place.minute + 400 * 1_440
    assert problems(place.board.post, ends(place.minute)) == [("start", "past")]
    assert problems(place.board.post, ends(farthest + 1)) == [("start", "too-far")]
    posted = [place.board.post(ends(minute)).id for minute in (place.minute + 1, farthest)]
    assert {item.id for item in place.board.latest().items} == set(posted)


def test_the_cost_is_what_posting_then_takes(place):
    draft = Draft(Kind.BULLETIN, text="Une phrase de taille moyenne, sans plus.")
    cost = place.board.cost(draft)
    posted = place.board.post(draft)
    assert posted.cost == cost
    assert cost.record_bytes == len(place.liveset.raw(bytes.fromhex(posted.id)))


def test_a_scheduled_post_waits_for_its_minute_and_survives_a_restart(place):
    posted = place.board.post(Draft(Kind.BULLETIN, text="demain", publish_at=place.minute + 1_440))
    assert posted.waiting and place.board.bulletins().items == []
    assert [one.item.text for one in place.board.waiting()] == ["demain"]
    assert place.board.publish_due() == 0
    place.pass_days(1)
    assert place.board.publish_due() == 1
    assert place.board.item(posted.id).text == "demain"
    assert place.board.waiting() == []
    place.board.withdraw(posted.id, posted.edit_code)


def test_a_moderated_post_waits_for_a_keeper(place):
    place.board.set_posting("moderated", "nadia")
    first, second = (place.board.post(Draft(Kind.BULLETIN, text=text)) for text in ("un", "deux"))
    corrected = place.board.correct(first.id, first.edit_code, Draft(Kind.BULLETIN, text="un, corrigé"))
    assert {one.item.text for one in place.board.waiting()} == {"un, corrigé", "deux"}
    place.board.approve(corrected.id, "nadia")
    place.board.refuse(second.id, "nadia")
    assert [item.text for item in place.board.bulletins().items] == ["un, corrigé"]
    assert place.board.waiting() == []
    assert [entry.action for entry in place.board.audit_log()] == ["refuse", "approve", "posting"]
    place.board.withdraw(corrected.id, first.edit_code)


def test_what_a_keeper_reads_too_late_waits_no_longer_and_leaves_nothing(place):
    place.board.set_posting("moderated", "nadia")
    late, changed_mind = (place.board.post(Draft(Kind.BULLETIN, text=text, life_days=1)) for text in ("ce soir", "ou non"))
    place.board.withdraw(changed_mind.id, changed_mind.edit_code)
    assert place.board.notes.edit_codes() == {bytes.fromhex(late.id)[:8]}, "nothing of what was taken back in time"
    place.clock.advance(25 * 3_600)
    with pytest.raises(BoardClosed, match="too-late"):
        place.board.approve(late.id, "nadia")
    assert not place.board.waiting() and not place.board.notes.edit_codes()


def test_what_a_keeper_has_read_before_its_hour_comes_out_at_its_hour(place):
    place.board.set_posting("moderated", "nadia")
    posted = place.board.post(Draft(Kind.BULLETIN, text="demain", publish_at=place.minute + 60))
    place.clock.advance(3_600 - 1)
    place.board.approve(posted.id, "nadia")
    assert place.board.publish_due() == 0 and place.board.item(posted.id) is None
    place.clock.advance(1)
    assert place.board.publish_due() == 1 and place.board.item(posted.id).text == "demain"


def test_a_group_signs_with_its_passphrase(place):
    add_group(place.board, "Syndicat", b"\3" * 32, "trois chats")
    place.board.set_posting("members", "nadia")
    draft = Draft(Kind.BULLETIN, text="Grève demain")
    assert problems(place.board.post, draft) == [("group", "members-only")]
    assert problems(place.board.post, draft, "Syndicat", "deux chats") == [("passphrase", "passphrase-wrong")]
    assert problems(place.board.post, draft, "Inconnus", "x") == [("group", "group-unknown")]
    posted = place.board.post(draft, "Syndicat", "trois chats")
    author = place.board.item(posted.id).author
    assert (author.name, author.group, author.here) == ("Syndicat", True, False)
    assert problems(place.board.withdraw, posted.id, "deux chats") == [("word", "passphrase-wrong")]
    place.board.withdraw(posted.id, "trois chats")
    assert place.board.item(posted.id) is None


def test_what_others_may_makes_no_group_s_post_urgent(place):
    committee = SigningKey(bytes(range(32)))
    codec, packed = pack("Comité")
    place.take(Record(Kind.VOUCH, FOUNDER.key_id, place.minute, 9_000, codec=codec, packed=packed, detail=Vouch(
        committee.public, Right.WRITE | Right.GROUP | Right.URGENT)), FOUNDER)
    assert place.board.not_urgent("Comité") is None
    for name in ("Syndicat", "École", "Inconnus"):  # a group that may not, an island that may, nobody
        assert place.board.not_urgent(name) == "urgent-not-group"


def test_keepers_words_are_as_long_as_they_may_be_and_no_longer(place):
    place.board.set_welcome("é" * MAX_WELCOME, "lea")
    assert problems(place.board.set_welcome, "é" * (MAX_WELCOME + 1), "lea") == [("text", "too-long")]
    assert place.board.welcome() == "é" * MAX_WELCOME


def test_no_edit_code_is_left_of_a_post_that_was_not_kept(tmp_path):
    class Full(Place):
        """Keeps notes, and no record."""

        full = False

        def publish(self, raw):
            if self.full:
                raise StoreFailed("full")
            return super().publish(raw)

    place = Full(tmp_path)
    place.full = True
    with pytest.raises(BoardClosed, match="full"):
        place.board.post(Draft(Kind.BULLETIN, text="Soupe"))
    assert not [name for name in place.store._notes if place.store.note(name)]
    place.archive.close()


def test_a_group_changes_and_withdraws_with_its_passphrase_what_waits_for_its_minute(place):
    add_group(place.board, "Syndicat", b"\3" * 32, "trois chats")
    later = Draft(Kind.BULLETIN, text="Grève demain", publish_at=place.minute + 60)
    first, second = (place.board.post(replace(later, text=text), "Syndicat", "trois chats") for text in ("grève", "marche"))
    for change in (place.board.withdraw, lambda *given: place.board.correct(*given, later)):
        assert problems(change, first.id, "deux chats") == [("word", "passphrase-wrong")]
    better = place.board.correct(first.id, "trois chats", later)
    place.board.withdraw(second.id, "trois chats")
    assert [(one.item.id, one.item.text) for one in place.board.waiting()] == [(better.id, "Grève demain")]
    place.clock.advance(3_600)
    assert place.board.publish_due() == 1
    assert place.board.item(better.id).author.name == "Syndicat"
    assert not place.board.notes.edit_code(bytes.fromhex(better.id)[:8])


def test_what_a_keeper_hides_stays_hidden_here_when_it_is_corrected(place):
    posted = place.board.post(Draft(Kind.BULLETIN, text="pub"))
    place.board.hide(posted.id, True, "nadia")
    assert place.board.item(posted.id) is None
    assert [item.text for item in place.board.hidden()] == ["pub"]
    assert bytes.fromhex(posted.id) in place.liveset, "hiding is this island's own business"
    place.board.hide(posted.id, False, "nadia")
    assert place.board.item(posted.id).text == "pub"


def test_urgent_items_come_from_those_who_may(place):
    codec, packed = pack("Évacuation")
    call = Record(Kind.BULLETIN, ELSEWHERE.key_id, place.minute, 24, urgent=True, codec=codec, packed=packed)
    place.take(call, ELSEWHERE)
    place.board.post(Draft(Kind.BULLETIN, text="tranquille"))
    assert [item.text for item in place.board.urgent()] == ["Évacuation"]


def test_pages_follow_each_other_without_gap_or_repeat(place):
    for number in range(25):
        place.board.post(Draft(Kind.BULLETIN, text=f"n° {number}", topic=number % 2))
        place.clock.advance(60)
    first = place.board.bulletins(limit=10)
    second = place.board.bulletins(after=first.after, limit=10)
    third = place.board.bulletins(after=second.after, limit=10)
    assert [item.text for page in (first, second, third) for item in page.items] == [f"n° {n}" for n in range(24, -1, -1)]
    assert third.after == ""
    assert len(place.board.bulletins(topic=1, limit=50).items) == 12


def test_search_finds_words_whatever_their_accents(place):
    posted = place.board.post(Draft(Kind.BULLETIN, text="Œuvre collective à Liège"))
    place.archive.index(bytes.fromhex(posted.id), place.minute, place.board.reader.text_of(bytes.fromhex(posted.id)))
    assert [item.id for item in place.board.search("oeuvre lieg").items] == [posted.id]
    assert place.board.search("rien").items == []


def test_what_is_past_is_found_before_the_archive_has_it(place):
    draft = event(place)
    posted = place.board.post(draft)
    place.archive.index(bytes.fromhex(posted.id), place.minute, place.board.reader.text_of(bytes.fromhex(posted.id)))
    place.pass_days(3)
    assert bytes.fromhex(posted.id) not in place.liveset and len(place.archive) == 0
    assert [item.title for item in place.board.events(draft.start, draft.start + 60)] == ["Fête"]
    assert [item.title for item in place.board.search("fet").items] == ["Fête"]
    assert place.board.item(posted.id[:12]).title == "Fête"
    assert place.board.latest().items == [] and place.board.events(place.minute, place.minute + 60) == []
    place.board.hide(posted.id, True, "nadia")
    assert place.board.item(posted.id) is None and place.board.events(draft.start, draft.start + 60) == []


def test_what_is_past_and_was_withdrawn_is_not_found(place):
    posted = place.board.post(event(place))
    retraction = Record(Kind.RETRACTION, HERE.key_id, place.minute, 9_000, target=bytes.fromhex(posted.id)[:8])
    place.pass_days(3)
    place.take(retraction, HERE)
    assert place.board.item(posted.id[:12]) is None and place.board.events(0, place.minute) == []


def test_an_island_that_keeps_no_past_shows_none(tmp_path):
    place = Place(tmp_path, keeps_past=False)
    posted = place.board.post(event(place))
    place.pass_days(3)
    assert place.board.item(posted.id[:12]) is None and place.board.events(0, place.minute) == []
    place.archive.close()


def test_past_events_come_from_the_archive_by_their_short_address_too(place):
    draft = event(place)
    posted = place.board.post(draft)
    place.pass_days(3)
    row = place.store.get(bytes.fromhex(posted.id))
    place.archive.keep([row], {})
    place.store.commit(delete=[row.id])
    place.liveset.forget([row.id])
    assert place.board.item(posted.id[:12]).title == place.board.item(posted.id[:9]).title == "Fête"
    assert place.board.item(posted.id[:12] + "0" * 4) is None
    assert [item.title for item in place.board.events(draft.start, draft.start + 60)] == ["Fête"]
    forged = replace(row, id=b"\1" * 16, raw=spoilt(row.raw))
    place.archive.keep([forged], {})
    assert len(place.board.events(draft.start, draft.start + 60)) == 1


class FullStore(MemoryStore):
    """A store whose card is full."""

    def commit(self, put=(), delete=()):
        raise StoreFailed("full")


def test_when_the_card_is_full_the_post_is_refused_with_the_reason(place):
    place.replica.store = FullStore()
    with pytest.raises(BoardClosed, match="full"):
        place.board.post(Draft(Kind.BULLETIN, text="x"))
    assert place.board.bulletins().items == []


def test_the_revision_changes_when_anything_shown_may_have(place):
    seen = [place.board.revision()]
    posted = place.board.post(Draft(Kind.BULLETIN, text="x"))
    seen.append(place.board.revision())
    place.board.hide(posted.id, True, "k")
    seen.append(place.board.revision())
    place.board.set_outline("48,2 49,3", "k")
    seen.append(place.board.revision())
    assert len(set(seen)) == 4
    assert problems(place.board.set_outline, "x" * 5_000, "k") == [("outline", "too-long")]
    assert Problem("x", "y") != Problem("x", "z")


def test_what_a_keeper_says_of_the_time_is_noted_only_when_it_is_believed(place):
    assert not place.board.set_clock(place.minute + 60, "nadia")
    assert place.board.audit_log() == []


def test_status_tells_the_checksum_of_what_is_held(place):
    before = place.board.status()
    place.board.post(Draft(Kind.BULLETIN, text="x"))
    after = place.board.status()
    assert before.checksum != after.checksum and before.set == after.set and after.records == before.records + 1
    assert after.store == StoreStatus(True, "") and after.rules == RulesStatus("open")


def test_a_post_that_would_push_out_an_older_one_of_this_island_is_refused(tmp_path):
    place = Place(tmp_path, {Category.POSTS: Limit(3, 99_999)})
    for number in range(3):
        place.board.post(Draft(Kind.BULLETIN, text=f"annonce {number}"))
    assert problems(place.board.post, Draft(Kind.BULLETIN, text="une de trop")) == [("", "share-used")]
    assert len(place.board.bulletins().items) == 3
    place.archive.close()


def test_an_island_whose_key_was_revoked_says_that_it_cannot_post(place):
    detail = Revocation(HERE.key_id, place.minute)
    place.take(Record(Kind.REVOCATION, FOUNDER.key_id, place.minute, 9_000, detail=detail), FOUNDER)
    with pytest.raises(BoardClosed) as closed:
        place.board.post(Draft(Kind.BULLETIN, text="bonjour"))
    assert closed.value.reason == "not-admitted"


def test_a_scheduled_post_that_came_too_late_does_not_hold_up_the_others(place):
    soon = place.board.post(Draft(Kind.BULLETIN, text="court", life_days=1, publish_at=place.minute + 60))
    later = place.board.post(Draft(Kind.BULLETIN, text="long", life_days=9, publish_at=place.minute + 60))
    place.pass_days(3)
    assert place.board.publish_due() == 1
    assert place.board.item(soon.id) is None and place.board.item(later.id).text == "long"
    assert place.board.waiting() == []


def test_nothing_is_kept_of_the_edit_code_of_what_was_withdrawn(place):
    posted = place.board.post(Draft(Kind.BULLETIN, text="bonjour"))
    assert any(name.startswith("word") and json.loads(value) for name, value in place.store._notes.items())
    place.board.withdraw(posted.id, posted.edit_code)
    assert not any(name.startswith("word") and json.loads(value) for name, value in place.store._notes.items())


def test_the_reason_of_a_cancellation_is_checked_like_any_text(place):
    posted = place.board.post(event(place))
    assert problems(place.board.withdraw, posted.id, posted.edit_code, "pluie\x07") == [("reason", "control-character")]
    place.board.withdraw(posted.id, posted.edit_code, "e\u0301clairs")
    assert place.board.item(posted.id).cancelled == "éclairs"


def test_a_group_of_the_same_name_cannot_touch_the_post_of_another(place):
    add_group(place.board, "Syndicat", bytes([9]) * 32, "autre phrase")
    theirs = place.take(Record(Kind.BULLETIN, GROUP.key_id, place.minute, 24, packed=b"assemblee"), GROUP)
    for change in (place.board.withdraw, lambda *given: place.board.correct(*given, Draft(Kind.BULLETIN, text="faux"))):
        assert problems(change, theirs.id.hex(), "autre phrase") == [("word", "not-yours")]
    assert place.board.item(theirs.id.hex()).text == "assemblee"
