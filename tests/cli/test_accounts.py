"""`archipel keeper` and `archipel group` as a keeper types them, and as a card says it at each start."""

import pytest
from werkzeug.security import check_password_hash

from node.board.api import COMMAND_LINE, Draft
from node.daemon.rpc import RpcServer
from node.daemon.rpc_handlers import handlers
from node.model.record import Kind
from tests.cli.test_main import archipel
from tests.sim.places import add_group
from tests.sim.portals import Neighbourhood

WORDS, OTHERS = "quatre mots au hasard", "cinq autres mots au hasard"


@pytest.fixture
def place(tmp_path):
    """A neighbourhood whose first island answers the command line."""
    made = Neighbourhood(tmp_path)
    made.runner = None
    made.board.remove_keeper("lea")
    (tmp_path / "data").mkdir()
    server = RpcServer(tmp_path / "data", handlers(made))
    yield made
    server.close()
    made.archive.close()


@pytest.fixture
def typed(place, tmp_path):
    """Types a command on that island: (exit code, what it says)."""
    config = tmp_path / "archipel.toml"
    config.write_text(f'[node]\nname = "Place des Fêtes"\ndata = "{tmp_path / "data"}"\n', encoding="utf-8")

    def type_(*arguments, words=""):
        return archipel(arguments[0], "--config", config, *arguments[1:], typed=words)

    return type_


def lets_in(place, name, password):
    known = place.board.password_hash(name)
    return known is not None and check_password_hash(known, password)


def test_keepers_are_made_listed_changed_and_removed(place, typed):
    assert "Nobody can sign in yet" in typed("keeper")[1]
    assert typed("keeper", "Samira", words=WORDS + "\n") == (0, "Samira can sign in at /keeper.\n")
    assert typed("keeper", "Paul", words=WORDS + "\n")[0] == 0
    assert typed("keeper")[1] == "Paul\nSamira\n"
    assert typed("keeper", "Samira", words=OTHERS)[0] == 0 and lets_in(place, "Samira", OTHERS)
    code, output = typed("keeper", "Samira", "--remove")
    assert code == 0 and "no password any more" in output and typed("keeper")[1] == "Paul\n"
    assert {(entry.keeper, entry.action) for entry in place.board.audit_log()} >= {
        (COMMAND_LINE, "keeper"), (COMMAND_LINE, "keeper-gone")}


@pytest.mark.parametrize("arguments", [
    ("keeper", "NOBODY", "--remove"), ("group", "NOBODY", "--remove", "--yes"), ("group", "NOBODY", "--passphrase"),
    ("keeper", "--remove", "--", "--help"),
])
def test_who_is_not_there_is_not_said_to_be_removed_or_changed(typed, arguments):
    code, output = typed(*arguments, words=WORDS)
    assert code == 1 and "is called" in output and "any more" not in output


@pytest.mark.parametrize("command", ["keeper", "group"])
@pytest.mark.parametrize("name", ["--help", "-x", "", " ", "a\nb", "\u202eSamira", "x" * 41, "\u3164", "a/b"])
def test_a_name_that_is_none_or_looks_like_an_option_is_refused(place, typed, command, name):
    code, output = typed(command, "--", name, words=WORDS)
    assert code == 1 and "choose another name" in output
    assert not place.board.keepers() and not place.board.groups()


@pytest.mark.parametrize("command", ["keeper", "group"])
@pytest.mark.parametrize(("words", "said"), [
    ("", "longer"), ("\n", "longer"), ("   \n", "longer"), ("a\n", "longer"), ("Samira1987!!\n", "first"),
    ("Place des Fêtes\n", "first"), ("password2026\n", "first"), ("trois chats\u202enoirs\n", "invisible"),
    ("x7k2q9m4tz" * 21 + "\n", "shorter"),
])
def test_an_empty_or_guessed_password_is_refused_from_a_pipe_too(place, typed, command, words, said):
    code, output = typed(command, "Samira", words=words)
    assert code == 1 and said in output and "Traceback" not in output
    assert not place.board.keepers() and not place.board.groups()


def test_a_name_is_found_however_it_is_typed_and_an_old_one_that_is_none_can_be_removed(place, typed):
    typed("keeper", "E\u0301lodie  B.", words=WORDS)
    assert place.board.keepers() == ["Élodie B."]
    assert typed("keeper", "Élodie B.", "--remove")[0] == 0
    place.board.set_keeper("--help", "as it was made once")
    assert typed("keeper", "--remove", "--", "--help")[0] == 0 and not place.board.keepers()


def test_groups_are_made_listed_and_their_passphrase_changes_while_their_key_stays(place, typed):
    assert "No group signs here yet" in typed("group")[1]
    code, output = typed("group", "Syndicat", words=WORDS + "\n")
    assert code == 0 and "archipel vouch" in output and typed("group")[1] == "Syndicat\n"
    code, output = typed("group", "Syndicat", words=OTHERS)
    assert code == 1 and "never overwritten" in output and "--passphrase" in output
    assert "passphrase is wrong" in typed("group", "Syndicat", "--passphrase", words="faux\n" + OTHERS)[1]
    assert "longer" in typed("group", "Syndicat", "--passphrase", words=WORDS + "\n\n")[1]
    before = place.board.group_seal("Syndicat")
    assert typed("group", "Syndicat", "--passphrase", words=f"{WORDS}\n{OTHERS}\n")[0] == 0
    assert place.board.group_seal("Syndicat") != before
    assert "passphrase is wrong" in typed("group", "Syndicat", "--passphrase", words=f"{WORDS}\n{OTHERS}\n")[1]


def test_a_group_is_removed_once_that_is_confirmed_and_what_it_posted_stays(place, typed):
    add_group(place.board, "AMAP du canal", bytes([4]) * 32, WORDS)
    posted = place.board.post(Draft(Kind.BULLETIN, "Légumes"), "AMAP du canal", WORDS)
    assert typed("group", "AMAP du canal", "--remove", words="n\n")[0] == 1 and place.board.groups() == ["AMAP du canal"]
    assert typed("group", "AMAP du canal", "--remove", words="y\n")[0] == 0
    assert not place.board.groups() and place.board.item(posted.id).author.name == "AMAP du canal"


# what the settings file on the card says, at each start

def test_a_keeper_of_the_card_is_made_once_and_a_new_password_there_counts(place, typed):
    for _start in range(3):
        assert typed("keeper", "--from-card", "--", "Samira", words=WORDS + "\n") == (0, "")
    kept = place.board.password_hash("Samira")
    assert lets_in(place, "Samira", WORDS)
    typed("keeper", "--from-card", "--", "Samira", words=WORDS + "\n")
    assert place.board.password_hash("Samira") == kept, "nobody is signed out by a restart of the card's unit"
    typed("keeper", "--from-card", "--", "Samira", words=OTHERS + "\n")
    assert lets_in(place, "Samira", OTHERS)


def test_what_was_changed_or_removed_here_is_not_undone_by_the_card(place, typed):
    typed("keeper", "--from-card", "--", "Samira", words=WORDS)
    typed("keeper", "Samira", words=OTHERS)
    typed("keeper", "--from-card", "--", "Samira", words=WORDS)
    assert lets_in(place, "Samira", OTHERS), "the password chosen here"
    code, output = typed("keeper", "Samira", "--remove")
    assert code == 0 and "settings file" in output
    typed("keeper", "--from-card", "--", "Samira", words=WORDS)
    assert not place.board.keepers() and "Samira was removed here" in typed("keeper")[1]
    place.restart_board()
    typed("keeper", "--from-card", "--", "Samira", words=WORDS)
    assert not place.board.keepers(), "nor after a restart"
    typed("keeper", "--from-card", "--", "Samira", words=OTHERS)
    assert lets_in(place, "Samira", OTHERS), "another password on the card lets them in again"


def test_a_keeper_of_an_island_of_before_stays_signed_in(place, typed):
    typed("keeper", "Samira", words=WORDS)
    kept = place.board.password_hash("Samira")
    typed("keeper", "--from-card", "--", "Samira", words=WORDS)
    assert place.board.password_hash("Samira") == kept and place.board.keepers_of_card() == ["Samira"]


@pytest.mark.parametrize(("name", "words"), [("--help", WORDS), ("Samira", ""), ("Samira", "samirasamira")])
def test_a_card_makes_no_keeper_that_the_command_line_would_not(place, typed, name, words):
    assert typed("keeper", "--from-card", "--", name, words=words)[0] == 1
    assert not place.board.keepers() and not place.board.keepers_of_card()


@pytest.mark.parametrize("command", ["newkey", "found", "backup"])
@pytest.mark.parametrize("words", ["", "\n", "a\n", "password2026\n"])
def test_keys_and_backups_have_the_same_rule(typed, tmp_path, command, words):
    (tmp_path / "data" / "keys").mkdir()
    (tmp_path / "data" / "keys" / "island.key").write_text("x")
    file, other = tmp_path / "file", tmp_path / "other"
    code, output = {"newkey": lambda: archipel("newkey", file, typed=words),
                    "found": lambda: typed("found", "Belleville", "--key", file, "--key", other, words=words),
                    "backup": lambda: typed("backup", file, words=words)}[command]()
    assert code == 1 and "Please choose" in output and not file.exists(), output


def test_the_card_s_option_is_for_the_card(typed):
    assert "--from-card" not in typed("keeper", "--help")[1]
