"""What keepers do about keys: each act is whole, says who else can where it is refused, and nothing ends unseen."""

import pytest

from node.board.api import BoardClosed, Draft
from node.board.keyring import InviteWish, KeyRefused, KeyRole, TypedKey, VouchWish
from node.board.keywords import WordTrouble, seed_of_words, seed_words
from node.board.status import RightsLack
from node.daemon.keyfiles import read_key_file, vouch, write_keeper_key
from node.model.keys import SigningKey
from node.model.record import Kind, Right, Vouch
from node.store.index import StoreFailed
from node.transfer.invitation import invitation_bytes, offer, prepare, to_text
from tests.sim.keepers import DAY_MIN, FOUNDERS, Keepers, KeptIsland

FOUNDERS_WORDS = TypedKey(" ".join(seed_words(bytes([101]) * 32, "fr")))


@pytest.fixture
def keepers(tmp_path):
    made = Keepers(tmp_path)
    yield made
    made.close()


@pytest.fixture
def gare(keepers):
    """The first box, whose key is a keeper's."""
    return keepers.found_island("Gare")


def newcomer(keepers, host, name="Canal", **wish):
    """An island that joins with an invitation by `host`, and meets it."""
    made = host.keyring.invite(InviteWish(**{"days": 365, **wish}), "lea")
    island = keepers.join(name, made.letters)
    keepers.meet(host.name, name)
    return island


def post(island, text="Bonjour"):
    return island.board.post(Draft(Kind.BULLETIN, text))


def acts(island):
    return [(entry.keeper, entry.action, entry.about) for entry in reversed(island.board.audit_log())]


# letting in

def test_an_invitation_is_kept_at_once_and_lets_one_island_in(keepers, gare):
    made = gare.keyring.invite(InviteWish(), "lea")
    open_one, = [view for view in gare.keyring.tree() if view.role is KeyRole.INVITATION]
    assert open_one.until == made.until == keepers.minute + 30 * DAY_MIN and open_one.given
    canal = keepers.join("Canal", made.letters)
    assert canal.may_write() and canal.keyring.rights().lack is RightsLack.NONE
    keepers.meet()
    assert [view.name for view in gare.keyring.tree() if view.role is KeyRole.WRITER] == ["Canal"]
    assert KeyRole.INVITATION not in {view.role for view in gare.keyring.tree()}, "a used one is the newcomer's line"
    assert gare.view("Canal").under == gare.key.key_id.hex() and gare.view("Canal").given
    assert acts(gare) == [("lea", "invite", "")]
    assert gare.keyring.invitation(made.label) == made


def test_an_island_that_may_not_vouch_hands_out_no_invitation_and_says_who_may(keepers, gare):
    canal = newcomer(keepers, gare)
    for refused in (lambda: canal.keyring.invite(InviteWish(), "ana"), lambda: canal.keyring.vouch(
            VouchWish("aa" * 32, "X"), "ana"), lambda: canal.keyring.look("Gare", None)):
        with pytest.raises(KeyRefused, match="Gare"):
            refused()
    assert not acts(canal)


def test_who_let_a_key_in_is_each_keeper_whose_invitation_it_used_and_who_vouched_for_it(keepers, gare):
    nord, ticket, cleo = (SigningKey(bytes([number]) * 32) for number in (1, 2, 3))
    keeper, invited = Right.WRITE | Right.VOUCH, Right.WRITE | Right.INVITE
    told = ((FOUNDERS[0], nord, keeper, 900), (gare.key, ticket, invited, 10), (nord, ticket, invited, 20),
            (ticket, cleo, Right.WRITE, 30), (nord, ticket, keeper, 25))
    papers = [vouch(keepers.charter, giver, Vouch(subject.public, rights), "Cleo", (keepers.minute, 24 * days))
              for giver, subject, rights, days in told]
    by_invitation = {(gare.key.key_id.hex(), 10, True), (nord.key_id.hex(), 20, True)}
    for raws, links in ((papers[:4], by_invitation), (papers[4:], by_invitation | {(ticket.key_id.hex(), 25, False)})):
        gare.take(raws)
        view, = gare.keyring.find(cleo.key_id.hex())
        days = {(link.giver, (link.until - keepers.minute) // DAY_MIN, link.by_invitation) for link in view.links}
        assert days == links


@pytest.mark.parametrize("days", [0, -1, 1_001])
def test_a_number_of_days_beyond_what_a_vouch_can_last_is_refused(gare, days):
    with pytest.raises(KeyRefused, match="between 1 and 1000 days"):
        gare.keyring.invite(InviteWish(days=days), "lea")


def test_a_vouch_takes_a_whole_key_and_later_a_name_or_sixteen_digits(keepers, gare):
    public = SigningKey(b"\7" * 32).public.hex()
    made = gare.keyring.vouch(VouchWish(public.upper(), "Île du lac", days=100), "lea")
    assert (made.name, made.role, made.until) == ("Île du lac", KeyRole.WRITER, keepers.minute + 100 * DAY_MIN)
    keepers.pass_days(50)
    for who in ("ile du LAC", made.id, public):
        assert gare.keyring.vouch(VouchWish(who), "lea").name == "Île du lac"
    assert gare.view(made.id).until == keepers.minute + 730 * DAY_MIN
    assert gare.keyring.vouch(VouchWish(made.id, more=frozenset({"vouch"})), "lea").role is KeyRole.KEEPER
    assert acts(gare)[0] == ("lea", "vouch", "Île du lac")


@pytest.mark.parametrize(("who", "name", "words"), [
    ("Personne", "", "No key is called Personne"), ("ab" * 8, "", "whole public key"),
    ("00" * 32, "X", "nobody’s public key"), ("aa" * 32, "", "no name yet"), ("", "", "No key is called"),
    ("\ud800", "x", "No key"),
])
def test_a_key_that_cannot_be_meant_is_refused_with_what_to_give(gare, who, name, words):
    with pytest.raises(KeyRefused, match=words):
        gare.keyring.vouch(VouchWish(who, name), "lea")


def test_a_name_that_several_bear_is_refused_with_their_numbers(gare):
    ids = [gare.keyring.vouch(VouchWish(SigningKey(bytes([n]) * 32).public.hex(), "Atelier"), "lea").id for n in (7, 8)]
    with pytest.raises(KeyRefused) as refused:
        gare.keyring.vouch(VouchWish("atelier"), "lea")
    assert all(id_ in str(refused.value) for id_ in ids)


def test_a_second_keepers_island_is_proposed_when_who_was_promised_it_has_joined(keepers, gare):
    canal = newcomer(keepers, gare, keeper=True)
    newcomer(keepers, gare, "Lac")
    assert [view.name for view in gare.keyring.tree() if view.promised] == ["Canal"]
    gare.start()
    assert gare.view("Canal").promised, "a restart forgets no promise"
    gare.keyring.vouch(VouchWish("Canal", more=frozenset({"vouch"})), "lea")
    keepers.meet()
    assert canal.keyring.rights().vouches and not gare.view("Canal").promised
    assert newcomer(keepers, canal, "Pont").may_write()


# another key for one act

def test_a_founders_words_sign_for_one_act_and_are_kept_nowhere(keepers, gare):
    canal = newcomer(keepers, gare)
    made = canal.keyring.invite(InviteWish(), "ana", FOUNDERS_WORDS)
    assert keepers.join("Pont", made.letters).may_write()
    assert canal.keyring.vouch(VouchWish("Canal", more=frozenset({"vouch"})), "ana", FOUNDERS_WORDS).role is KeyRole.KEEPER
    kept = repr(vars(canal.keyring)) + repr(canal.board.notes.state) + repr(list(canal.store.rows()))
    assert bytes([101]).hex() * 32 not in kept and repr(bytes([101]) * 32)[2:-1] not in kept


def test_a_keepers_key_file_signs_with_its_passphrase(keepers, gare, tmp_path):
    key = write_keeper_key(tmp_path / "nadia.key", "quatre chats noirs")
    gare.keyring.vouch(VouchWish(key.public.hex(), "Nadia", more=frozenset({"vouch"})), "lea")
    canal = newcomer(keepers, gare)
    text = read_key_file(tmp_path / "nadia.key")
    with pytest.raises(KeyRefused, match="not the passphrase"):
        canal.keyring.invite(InviteWish(), "ana", TypedKey(text, "trois chats"))
    with pytest.raises(KeyRefused, match="damaged"):
        canal.keyring.invite(InviteWish(), "ana", TypedKey(f"{text[:30]}!", "quatre chats noirs"))
    assert keepers.join("Pont", canal.keyring.invite(InviteWish(), "ana", TypedKey(text, "quatre chats noirs")).letters
                        ).may_write()


def test_a_key_that_may_do_nothing_here_signs_nothing(gare):
    stranger = TypedKey(" ".join(seed_words(b"\x55" * 32, "en")))
    for act in (lambda: gare.keyring.invite(InviteWish(), "lea", stranger),
                lambda: gare.keyring.look("Gare", None, stranger)):
        with pytest.raises(KeyRefused, match="no founder’s key of this set"):
            act()
    with pytest.raises(WordTrouble):
        gare.keyring.invite(InviteWish(), "lea", TypedKey("un deux trois"))


def test_a_key_on_paper_is_kept_nowhere_and_may_do_something_once_it_is_vouched_for(keepers, gare):
    paper = gare.keyring.paper_key("es", "lea")
    assert SigningKey(seed_of_words(" ".join(paper.words))).public.hex() == paper.public and len(paper.fingerprint) == 6
    assert gare.keyring.paper_key("es", "lea").words != paper.words
    typed = TypedKey(" ".join(paper.words))
    with pytest.raises(KeyRefused):
        gare.keyring.invite(InviteWish(), "lea", typed)
    gare.keyring.vouch(VouchWish(paper.public, "Clé de secours", more=frozenset({"vouch"})), "lea")
    assert keepers.join("Pont", gare.keyring.invite(InviteWish(), "lea", typed).letters).may_write()


# putting out

def test_revoking_is_looked_at_first_and_says_what_falls_with_it(keepers, gare):
    canal = newcomer(keepers, gare, keeper=True)
    gare.keyring.vouch(VouchWish("Canal", more=frozenset({"vouch"})), "lea")
    keepers.meet()
    pont = newcomer(keepers, canal, "Pont")
    canal.keyring.invite(InviteWish(), "ana")
    post(pont), post(canal), post(canal, "encore")
    keepers.meet()
    before = set(gare.liveset.ids())
    preview = gare.keyring.look("Canal", keepers.minute - 5, FOUNDERS_WORDS)
    assert set(gare.liveset.ids()) == before and "revoke" not in {action for _, action, _ in acts(gare)}
    assert preview.cuts and preview.lacking == 0 and not preview.here
    assert preview.losing == ("Pont",) and preview.invitations == 1 and preview.posts == 3
    keepers.pass_minutes(1)
    own = gare.keyring.look("Canal", None)
    assert own.takes_back and not own.cuts and own.lacking == 1
    assert not own.losing and not own.invitations and not own.posts, "what was signed by then stays, and what rests on it"


def test_a_revocation_waits_ten_minutes_in_which_it_can_be_dropped(keepers, gare):
    canal = newcomer(keepers, gare)
    gare.keyring.revoke(gare.keyring.look("Canal", None, FOUNDERS_WORDS).label, "lea")
    waiting, = gare.keyring.waiting()
    keepers.pass_minutes(9)
    assert gare.view("Canal").cut is None and waiting.name == "Canal"
    gare.start()
    assert gare.keyring.undo(waiting.id, "max") and not gare.keyring.undo(waiting.id, "max")
    keepers.pass_minutes(60)
    keepers.meet()
    assert canal.may_write() and gare.view("Canal").cut is None
    assert acts(gare)[1:] == [("lea", "revoke", "Canal"), ("max", "revoke-undo", "Canal")]


@pytest.mark.parametrize("at_once", [True, False])
def test_a_revocation_is_sent_at_once_or_when_its_time_has_come_also_after_a_restart(keepers, gare, at_once):
    canal = newcomer(keepers, gare)
    waiting = gare.keyring.revoke(gare.keyring.look("Canal", None, FOUNDERS_WORDS).label, "lea", at_once)
    assert (waiting is None) is at_once
    gare.start()
    keepers.pass_minutes(0 if at_once else 11)
    keepers.meet()
    assert not canal.may_write() and canal.keyring.rights().lack is RightsLack.CUT
    assert gare.view("Canal").role is KeyRole.CUT and not gare.keyring.waiting()


def test_a_clock_that_is_set_back_keeps_no_revocation_from_being_sent(keepers, gare):
    newcomer(keepers, gare)
    keepers.pass_days(3)
    gare.keyring.revoke(gare.keyring.look("Canal", None, FOUNDERS_WORDS).label, "lea")
    keepers.pass_minutes(-60)
    assert gare.view("Canal").cut is not None


def test_what_was_looked_at_too_long_ago_is_looked_at_again(keepers, gare):
    newcomer(keepers, gare)
    label = gare.keyring.look("Canal", None).label
    keepers.pass_minutes(31)
    for forgotten in (label, "", "nonsense"):
        with pytest.raises(KeyRefused, match="too long"):
            gare.keyring.revoke(forgotten, "lea")
    assert not gare.keyring.waiting()


def test_one_look_is_good_for_one_revocation(keepers, gare):
    newcomer(keepers, gare)
    label = gare.keyring.look("Canal", None).label
    gare.keyring.revoke(label, "lea")
    with pytest.raises(KeyRefused):
        gare.keyring.revoke(label, "lea")
    assert len(gare.keyring.waiting()) == 1


def test_who_took_back_what_it_gave_cannot_give_it_again_and_another_keeper_can(keepers, gare):
    canal = newcomer(keepers, gare)
    other = newcomer(keepers, gare, "Pont", keeper=True)
    gare.keyring.vouch(VouchWish("Pont", more=frozenset({"vouch"})), "lea")
    gare.keyring.revoke(gare.keyring.look("Canal", None).label, "lea", at_once=True)
    keepers.pass_minutes(1)
    keepers.meet()
    assert canal.keyring.rights().lack is RightsLack.TAKEN_BACK and not canal.may_write()
    assert "Pont" in canal.keyring.rights().by and "Gare" not in canal.keyring.rights().by
    with pytest.raises(KeyRefused, match="Pont"):
        gare.keyring.vouch(VouchWish("Canal"), "lea")
    other.keyring.vouch(VouchWish("Canal"), "ana")
    keepers.meet()
    assert canal.may_write()


def test_a_key_that_a_founder_ended_is_never_let_in_again(keepers, gare):
    canal = newcomer(keepers, gare)
    gare.keyring.revoke(gare.keyring.look("Canal", None, FOUNDERS_WORDS).label, "lea", at_once=True)
    keepers.meet()
    for key in (None, FOUNDERS_WORDS):
        with pytest.raises(KeyRefused, match="start anew"):
            gare.keyring.vouch(VouchWish("Canal"), "lea", key)
    assert canal.keyring.rights().lack is RightsLack.CUT


def test_closing_an_unused_invitation_lets_nobody_in_with_it(keepers, gare):
    made = gare.keyring.invite(InviteWish(), "lea")
    open_one, = [view for view in gare.keyring.tree() if view.role is KeyRole.INVITATION]
    gare.keyring.revoke(gare.keyring.look(open_one.id, None).label, "lea", at_once=True)
    keepers.pass_minutes(1)
    late = keepers.join("Tard", made.letters)
    keepers.meet()
    assert not late.may_write() and late.keyring.rights().lack


def test_an_island_sees_that_it_would_end_itself(keepers, gare):
    preview = gare.keyring.look("Gare", None)
    assert preview.here and preview.cuts


def test_nothing_is_said_to_be_done_that_the_card_did_not_keep(keepers, gare, monkeypatch):
    newcomer(keepers, gare)
    label = gare.keyring.look("Canal", None).label

    def full(put=(), delete=()):
        raise StoreFailed("full")

    monkeypatch.setattr(gare.store, "commit", full)
    for act in (lambda: gare.keyring.invite(InviteWish(), "lea"), lambda: gare.keyring.vouch(VouchWish("Canal"), "lea"),
                lambda: gare.keyring.revoke(label, "lea", at_once=True)):
        with pytest.raises(BoardClosed):
            act()
    assert [action for _, action, _ in acts(gare)] == ["invite"]


# nothing ends unseen

def test_what_ends_within_sixty_days_is_told_with_who_can_renew_it_and_one_act_does(keepers, gare):
    canal = newcomer(keepers, gare)
    keepers.pass_days(300)
    assert not gare.keyring.rights().ends and not canal.keyring.rights().ends
    keepers.pass_days(10)
    end, = gare.keyring.rights().ends
    assert (end.name, end.renewable, end.here) == ("Canal", True, False)
    own, = canal.keyring.rights().ends
    assert own.here and not own.renewable and "Gare" in own.by
    gare.keyring.vouch(VouchWish(end.id), "lea")
    assert not gare.keyring.rights().ends
    keepers.meet()
    assert not canal.keyring.rights().ends
    assert canal.keyring.rights().until == keepers.minute + 730 * DAY_MIN


def test_a_key_whose_rights_have_ended_is_still_known_by_name_and_can_be_renewed(keepers, gare):
    canal = newcomer(keepers, gare)
    keepers.pass_days(370)
    assert not canal.may_write() and canal.keyring.rights().lack is RightsLack.ENDED
    assert canal.keyring.rights().since == pytest.approx(keepers.minute - 5 * DAY_MIN, abs=DAY_MIN)
    gone = gare.view("Canal")
    assert gone.role is KeyRole.ENDED and gone.renewable
    assert [end.name for end in gare.keyring.rights().ends] == ["Canal"]
    gare.keyring.vouch(VouchWish("Canal"), "lea")
    keepers.meet()
    assert canal.may_write() and canal.keyring.rights().lack is RightsLack.NONE


def test_what_rests_on_a_key_whose_own_right_ends_first_ends_with_it_and_is_told(keepers):
    gare = keepers.found_island("Gare", life_h=40 * 24)
    canal = newcomer(keepers, gare)
    assert canal.keyring.rights().until == keepers.minute + 40 * DAY_MIN
    ends = {end.name: end for end in gare.keyring.rights().ends}
    assert ends["Gare"].here and not ends["Canal"].renewable, "its vouch would end on the same day"
    assert gare.keyring.invite(InviteWish(days=365), "lea").until == keepers.minute + 40 * DAY_MIN


def test_a_founders_paper_renews_the_box_that_it_vouched_for(keepers):
    gare = keepers.found_island("Gare", life_h=40 * 24)
    canal = newcomer(keepers, gare)
    gare.keyring.vouch(VouchWish("Gare"), "lea", FOUNDERS_WORDS)
    keepers.meet()
    assert gare.keyring.rights().until == keepers.minute + 730 * DAY_MIN and gare.keyring.rights().vouches
    assert canal.keyring.rights().until == keepers.minute + 365 * DAY_MIN


# a newcomer whose rights do not suffice

def test_who_joins_by_an_invitation_of_an_island_without_rights_is_told(keepers, gare):
    canal = newcomer(keepers, gare)
    seed = b"\x66" * 32
    worthless = prepare(keepers.charter, canal.key, seed, offer(canal.key.key_id, seed, keepers.minute, 99), [])
    lost = keepers.join("Perdue", to_text(invitation_bytes(worthless)))
    assert lost.keyring.rights().lack is RightsLack.GIVER


def test_who_comes_second_with_an_invitation_is_told(keepers, gare):
    made = gare.keyring.invite(InviteWish(), "lea")
    keepers.join("Canal", made.letters)
    keepers.pass_minutes(5)
    second = keepers.join("Copie", made.letters)
    assert second.may_write(), "as long as it has met nobody"
    keepers.meet()
    assert second.keyring.rights().lack is RightsLack.USED


def test_an_island_whose_clock_is_behind_its_invitation_is_told_so(keepers, gare):
    made = gare.keyring.invite(InviteWish(days=365), "lea")
    keepers.clock.advance(-100 * 86_400)
    early = keepers.join("Tôt", made.letters)
    assert not early.may_write() and early.keyring.rights().lack is RightsLack.CLOCK


def test_an_island_that_nobody_has_vouched_for_is_told_so(keepers, tmp_path):
    alone = KeptIsland(tmp_path, "Seule", keepers.charter, keepers.clock)
    assert alone.keyring.rights().lack is RightsLack.UNKNOWN and not alone.keyring.rights().by
    alone.archive.close()


def test_the_tree_has_every_key_once_below_who_let_it_in(keepers, gare):
    canal = newcomer(keepers, gare, keeper=True)
    gare.keyring.vouch(VouchWish("Canal", more=frozenset({"vouch"})), "lea")
    keepers.meet()
    newcomer(keepers, canal, "Pont")
    keepers.meet()
    assert [(view.name, view.depth) for view in gare.keyring.tree()][1:] == [("Gare", 1), ("Canal", 2), ("Pont", 3)]
    assert gare.keyring.tree()[0].role is KeyRole.FOUNDER and gare.keyring.tree()[0].id == FOUNDERS[0].key_id.hex()
    assert Right.VOUCH.name.lower() in gare.view("Gare").rights
