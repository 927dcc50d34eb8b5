"""Bundles as files: at an island that runs, at one that rests, on a medium that fails."""

from contextlib import closing

import pytest
import segno
from click.testing import CliRunner

from node.cli.main import main
from node.daemon.bulk_client import RpcBulkPort, bulk_handlers, bulk_of, export_file, import_file, resting
from node.daemon.keyfiles import KeyFolder
from node.daemon.rpc import Refused, RpcServer
from node.model.clock import MAX_MINUTE, SystemClock, minute_of
from node.model.record import Kind, Record, encode, record_id, sign
from node.transfer.bulk import Choice
from node.transfer.bundle import Header
from node.transfer.paper import code_of


@pytest.fixture
def islands(tmp_path):
    """Two islands of one set, at rest: folders and a way to post on the first."""
    here, there = KeyFolder(tmp_path / "here"), KeyFolder(tmp_path / "there")
    here.found("Belleville", "ici")
    there.join(here.invite(), "là-bas")
    return here, there


def post(keys, *texts):
    """Records signed by an island's key, kept in its folder; their ids."""
    charter, key = keys.charter(), keys.island_key()
    created = minute_of(SystemClock().now())
    raws = [encode(sign(Record(Kind.BULLETIN, key.key_id, created, 24, packed=text.encode()), charter.set_id, key.sign))
            for text in texts]
    with resting(keys.path.parent, "ici", SystemClock()) as bulk:
        assert set(bulk.unload(raws, "post")) == {"kept"}
    return {record_id(raw) for raw in raws}


def ids_in(keys):
    with resting(keys.path.parent, "x", SystemClock()) as bulk:
        return set(bulk.ids())


def settings_file(folder, data):
    path = folder / f"{data.name}.toml"
    path.write_text(f'[node]\nname = "Île"\ndata = "{data}"\n')
    return str(path)


def archipel(*words):
    return CliRunner().invoke(main, list(words))


def test_two_islands_at_rest_pass_a_file_on_the_command_line(islands, tmp_path):
    here, there = islands
    posted = post(here, *(f"avis {number}" for number in range(300)))
    config = [settings_file(tmp_path, keys.path.parent) for keys in islands]
    file = tmp_path / "a.bundle"
    told = archipel("export", "--config", config[0], str(file))
    assert told.exit_code == 0 and "bytes" in told.output
    told = archipel("import", "--config", config[1], str(file))
    assert told.exit_code == 0 and "300 new" in told.output
    assert posted <= ids_in(there)
    assert "0 new" in archipel("import", "--config", config[1], str(file)).output
    assert [path.name for path in tmp_path.glob("*.part")] == []


def test_a_damaged_file_gives_what_is_good_and_says_so(islands, tmp_path):
    here, there = islands
    post(here, *(f"avis {number}" for number in range(30)))
    file, config = tmp_path / "a.bundle", settings_file(tmp_path, there.path.parent)
    with resting(here.path.parent, "ici", SystemClock()) as bulk:
        export_file(bulk, file)
    file.write_bytes(file.read_bytes()[:-100])
    told = archipel("import", "--config", config, str(file))
    assert told.exit_code == 0 and "29 new" in told.output and "its end is missing" in told.output


@pytest.mark.parametrize(("content", "said"), [
    (b"PK\3\4" + bytes(100), "not the board of an island"), (b"archipel bundle\n\7" + bytes(100), "newer program"),
    (b"", "not the board of an island"),
])
def test_what_is_no_bundle_is_said_in_a_sentence(islands, tmp_path, content, said):
    (tmp_path / "x").write_bytes(content)
    told = archipel("import", "--config", settings_file(tmp_path, islands[0].path.parent), str(tmp_path / "x"))
    assert told.exit_code == 1 and said in told.output and "Traceback" not in told.output


def test_a_folder_without_an_island_is_said_in_a_sentence(tmp_path):
    told = archipel("export", "--config", settings_file(tmp_path, tmp_path / "nobody"), str(tmp_path / "x.bundle"))
    assert told.exit_code == 1 and "archipel init" in told.output and not (tmp_path / "x.bundle").exists()


def test_a_running_island_is_asked_over_its_socket(islands, tmp_path):
    here, there = islands
    posted = post(here, "un", "deux", "trois")
    file = tmp_path / "a.bundle"
    with resting(here.path.parent, "ici", SystemClock()) as bulk:
        export_file(bulk, file)
    folder = there.path.parent
    with resting(folder, "là-bas", SystemClock()) as inside, closing(RpcServer(folder, bulk_handlers(inside))):
        with bulk_of(folder, "ignored") as bulk:
            assert isinstance(bulk, RpcBulkPort)
            landed = import_file(bulk, file)
            assert posted <= set(landed.new_ids) and posted <= set(bulk.ids()) == set(inside.ids())
            assert bulk.load(list(posted)) == inside.load(list(posted))
            assert bulk.ids(Choice(topic=3)) == inside.ids(Choice(topic=3))
            assert bulk.label() == Header(inside.label().set_id, there.island_key().key_id, bulk.label().made, "là-bas")
            assert [header.island for header, _ in inside.remembered()] == [here.island_key().key_id]
        with pytest.raises(Refused):
            RpcBulkPort(folder)._ask("nonsense")


def test_a_medium_that_fails_leaves_the_old_file_and_no_other(islands, tmp_path):
    here, _ = islands
    post(here, "un")
    file = tmp_path / "a.bundle"
    with resting(here.path.parent, "ici", SystemClock()) as bulk:
        export_file(bulk, file)
        before = file.read_bytes()

        def yanked(size):
            raise OSError(5, "Input/output error")

        with pytest.raises(OSError):
            export_file(bulk, file, progress=yanked)
    assert file.read_bytes() == before and list(tmp_path.glob("*.part")) == []


def test_one_record_travels_as_letters_on_the_command_line(islands, tmp_path):
    here, there = islands
    (posted,) = post(here, "Tout le monde au canal")
    config = [settings_file(tmp_path, keys.path.parent) for keys in islands]
    printed = archipel("letters", "--config", config[0], posted.hex()[:8])
    assert printed.exit_code == 0
    vouches = tmp_path / "vouches.bundle"
    with resting(here.path.parent, "ici", SystemClock()) as bulk:
        export_file(bulk, vouches, Choice(since=MAX_MINUTE))
    archipel("import", "--config", config[1], str(vouches))
    typed = "\n".join(line for line in printed.output.splitlines() if line.isascii() and line.strip())
    told = CliRunner().invoke(main, ["read", "--config", config[1]], input=typed.lower())
    assert told.exit_code == 0 and "1 new" in told.output and posted in [id_ for id_ in ids_in(there)]
    wrong = CliRunner().invoke(main, ["read", "--config", config[1]], input="ABCDE")
    assert wrong.exit_code == 1 and "mistake" in wrong.output
    assert archipel("letters", "--config", config[0], "ffffffff").exit_code == 1


def test_a_picture_of_the_code_is_read_or_the_absence_of_a_reader_told(islands, tmp_path, monkeypatch):
    (posted,) = post(islands[0], "Tout le monde au canal")
    config = settings_file(tmp_path, islands[0].path.parent)
    with resting(islands[0].path.parent, "ici", SystemClock()) as bulk:
        code = code_of(bulk.load([posted])[0])
    picture, nothing = tmp_path / "code.png", tmp_path / "nothing.png"
    segno.make(code).save(picture, scale=4)
    segno.make("https://example.org").save(nothing, scale=4)
    assert "1 known" in archipel("read", "--config", config, str(picture)).output
    assert "No code" in archipel("read", "--config", config, str(nothing)).output
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "zxing-cpp-tools" in archipel("read", "--config", config, str(picture)).output

