"""A set whose only founder is its box is founded anew with keys on paper: all that the box signed is there again."""

import pytest

from node.board.api import BoardClosed, Draft
from node.board.keyring import InviteWish, KeyRefused, VouchWish
from node.board.keywords import seed_of_words
from node.daemon.app import App
from node.daemon.keyfiles import KeyFolder
from node.daemon.settings import LanSettings, NodeSettings, RadioSettings, Settings
from node.model.clock import SystemClock
from node.model.keys import SigningKey
from node.model.record import Kind
from node.replica.trust import FOREVER
from node.store.archive import Archive
from node.store.journalstore import JournalStore
from node.transfer.invitation import from_text, read_invitation


def words_of(keys):
    """Have all keys shown and written down; their words."""
    papers = []
    while keys.written() < keys.count:
        papers.append(keys.show("fr").words)
        assert keys.check(tuple(papers[-1][place - 1] for place in keys.asked()))
    return papers


class Alone:
    """An island whose own key founded its set, in a folder; it starts anew when told."""

    def __init__(self, folder):
        self.folder, self.ends = folder, 0
        KeyFolder(folder).found("Belleville", "Place des Fêtes")
        self.open()

    def open(self):
        settings = Settings(node=NodeSettings(name="Place des Fêtes", data=self.folder),
                            radio=RadioSettings(connect="none"), lan=LanSettings(discover=False))
        self.app = App(settings, SystemClock(), start_anew=self._end)
        self.app.open()
        return self.app

    def _end(self):
        self.ends += 1

    def start_anew(self):
        self.app.close()
        return self.open()

    def refound(self, count=2):
        papers = words_of(self.app.board.founding.keys(count))
        self.app.board.founding.refound("lea")
        assert self.ends == 1
        return papers


@pytest.fixture
def alone(tmp_path):
    island = Alone(tmp_path / "a")
    yield island
    island.app.close()


def texts(board):
    return sorted(item.text for item in board.bulletins().items)


def test_all_that_the_box_signed_is_there_again_under_the_founders_of_paper(alone):
    board = alone.app.board
    first, other = (board.post(Draft(Kind.BULLETIN, text)) for text in ("Repas partagé", "Vélo trouvé"))
    event = board.post(Draft(Kind.EVENT, "Tous", title="Fête", start=board.now() + 900, end=board.now() + 960))
    board.correct(first.id, first.edit_code, Draft(Kind.BULLETIN, "Repas partagé à 20 h"))
    board.post(Draft(Kind.REPLY, "J’y serai", target=other.id))
    public = SigningKey(b"\7" * 32).public.hex()
    board.keyring.vouch(VouchWish(public, "Chorale", frozenset({"group"})), "lea")
    board.hide(event.id, True, "lea")
    before, was = texts(board), alone.app.charter
    papers = alone.refound()
    board = alone.start_anew().board
    charter = alone.app.charter
    assert set(charter.founders) == {SigningKey(seed_of_words(" ".join(words))).public for words in papers}
    assert charter.name == was.name and charter.secret != was.secret and charter.set_id != was.set_id
    assert texts(board) == before == ["Repas partagé à 20 h", "Vélo trouvé"]
    shown = {item.text: item for item in board.bulletins().items}
    assert [reply.text for reply in board.item(shown["Vélo trouvé"].id).replies] == ["J’y serai"]
    assert board.keyring.find("Chorale")[0].group
    own = board.keyring.own()
    assert {"write", "urgent", "vouch"} <= set(own.rights) and max(own.rights.values()) < FOREVER
    assert not board.founding.alone() and len(board.founding.view().founders) == 2
    assert not board.events(0, board.now() + 2_000), "what was hidden stays hidden"
    board.withdraw(shown["Vélo trouvé"].id, other.edit_code)
    assert texts(board) == ["Repas partagé à 20 h"], "the edit code still opens its post"
    assert ("lea", "refound") in [(entry.keeper, entry.action) for entry in board.audit_log()]
    with pytest.raises(KeyRefused):
        board.founding.refound("lea")


@pytest.mark.parametrize("step", range(9))
def test_whatever_is_cut_short_the_next_start_completes_it(alone, monkeypatch, step):
    board = alone.app.board
    post = board.post(Draft(Kind.BULLETIN, "Repas partagé"))
    board.correct(post.id, post.edit_code, Draft(Kind.BULLETIN, "Repas partagé à 20 h"))
    alone.refound()
    alone.app.close()
    left = [step]

    class Cut(Exception):
        pass

    def failing(work):
        def cut(*given, **more):
            left[0] -= 1
            if left[0] < 0:
                raise Cut
            return work(*given, **more)
        return cut

    with monkeypatch.context() as patched:
        for owner, names in ((JournalStore, ("commit", "set_notes")), (Archive, ("keep", "forget")),
                             (KeyFolder, ("carry_out", "_keep"))):
            for name in names:
                patched.setattr(owner, name, failing(getattr(owner, name)))
        try:
            alone.open()
            alone.app.close()
        except Cut:
            alone.app.close()
    board = alone.open().board
    assert texts(board) == ["Repas partagé à 20 h"]
    assert len(alone.app.charter.founders) == 2 and not (alone.folder / "keys" / "refounding").exists()
    assert len(alone.app.liveset) == 2, "one post and the box's vouch: nothing twice"
    item, = board.bulletins().items
    board.withdraw(item.id, post.edit_code)
    assert not board.bulletins().items


def test_a_set_that_others_are_in_is_not_founded_anew(alone, tmp_path):
    letters = alone.app.board.keyring.invite(InviteWish(), "lea").letters
    view = alone.app.board.founding.view()
    assert (view.alone, view.joined, view.invitations) == (True, (), 1)
    other = KeyFolder(tmp_path / "b")
    other.join(letters, "Canal")
    alone.app.runner.take_in(other.credentials(), "bundle")
    assert alone.app.board.founding.view().joined == ("Canal",)
    words_of(alone.app.board.founding.keys(2))
    with pytest.raises(KeyRefused):
        alone.app.board.founding.refound("lea")
    assert KeyFolder(alone.folder).planned() is None and alone.ends == 0


def test_nothing_is_founded_before_all_keys_are_written_down(alone):
    with pytest.raises(KeyRefused):
        alone.app.board.founding.refound("lea")
    keys = alone.app.board.founding.keys(3)
    words_of(keys)
    again = alone.app.board.founding.keys(2)
    assert keys.written() == 0, "those of before are forgotten"
    again.show("fr")
    with pytest.raises(KeyRefused):
        alone.app.board.founding.refound("lea")


def test_a_second_press_does_nothing_more_and_says_nothing_wrong(alone):
    alone.refound()
    plan = KeyFolder(alone.folder).planned()
    alone.app.board.founding.refound("lea")
    assert KeyFolder(alone.folder).planned() == plan
    assert alone.start_anew().charter == plan.charter


def test_a_card_that_does_not_take_the_plan_keeps_the_keys_for_the_next_press(alone):
    words_of(alone.app.board.founding.keys(2))
    in_the_way = alone.folder / "keys" / "refounding.new"
    in_the_way.mkdir()
    with pytest.raises(BoardClosed):
        alone.app.board.founding.refound("lea")
    assert not alone.ends and KeyFolder(alone.folder).planned() is None
    in_the_way.rmdir()
    alone.app.board.founding.refound("lea")
    assert len(alone.start_anew().charter.founders) == 2


def test_an_invitation_of_before_leads_nowhere_and_a_new_one_leads_in(alone):
    alone.app.board.keyring.invite(InviteWish(), "lea")
    alone.refound()
    board = alone.start_anew().board
    assert board.founding.view().invitations == 0
    made = board.keyring.invite(InviteWish(), "lea")
    assert read_invitation(from_text(made.letters)).charter.set_id == alone.app.charter.set_id


def test_no_seed_is_in_the_folder(alone):
    papers = alone.refound(3)
    alone.start_anew()
    everything = b"".join(path.read_bytes() for path in alone.folder.rglob("*") if path.is_file())
    assert len(papers) == 3 and len(everything) > 1_000
    for words in papers:
        seed = seed_of_words(" ".join(words))
        assert seed not in everything and seed.hex().encode() not in everything
        assert " ".join(words[:2]).encode() not in everything
