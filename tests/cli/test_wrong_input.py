"""No traceback, whatever is typed: every command with every parameter wrong in every way, and the shell's own surprises."""

import os
import resource
import signal
import subprocess
import sys
import time

import click
import pytest
from click.testing import CliRunner

from node.cli.main import main
from tests.cli.islands import ROOT, archipel, running, write_config
from tests.waiting import until

pytestmark = pytest.mark.once

SECRET = "cheval pile agrafe\n"
ENDLESS = ("run", "demo")  # what goes on until it is stopped is tried with nothing but what keeps it from starting
ONCE = {"watch": ["--once"], "record": ["--show"]}  # go on with a running island
NUMBERS = ("0", "-1", "1e3", "x", "", "9" * 40)
MOMENTS = ("0001-01-01 00:00", "9999-12-31 23:59", "2026-02-30 10:00", "hier", "")
WORDS = ("", " ", "\udce9", "x" * 20_000, "%(name)s", "{0}", "\u202etxt", "--", "\n")
RIGHT = {"name": "Nadia", "who": "Nadia", "post": "0123456789abcdef", "item_id": "0123abcd", "words": "soupe",
         "source": "https://127.0.0.1:1/x.ics", "text": "Bonjour"}


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """Paths that will not do, and a file of anything."""
    folder = tmp_path_factory.mktemp("wrong")
    file = folder / "file"
    file.write_bytes(bytes(range(256)) * 8)
    (folder / "round").symlink_to("round")
    (folder / "empty").touch()
    os.mkfifo(folder / "pipe")
    return [str(path) for path in (folder, file, folder / "empty", folder / "nowhere", folder / "missing" / "x", file / "x",
                                   folder / "round", folder / ("x" * 300), folder / "\udce9.txt", "/dev/null",
                                   "/proc/self/mem", "/proc/nowhere/x")] + [""]


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """Of an island that rests."""
    path = write_config(tmp_path_factory.mktemp("resting"), "Île du canal")
    assert archipel("init", "--config", path)[0] == 0
    return path


@pytest.fixture(scope="module")
def island(tmp_path_factory):
    """Of one that runs."""
    with running(write_config(tmp_path_factory.mktemp("running"), "Place des Fêtes")) as path:
        yield path


def wrong_values(parameter, places):
    """What somebody may type for it by mistake."""
    match parameter.type:
        case click.Path() | click.File():
            return places
        case click.IntRange() | click.FloatRange() | click.types.IntParamType() | click.types.FloatParamType():
            return NUMBERS
        case click.DateTime():
            return MOMENTS
        case click.Choice():
            return WORDS
    return () if getattr(parameter, "is_flag", False) else (*WORDS, *places)


def lines_for(command, places):
    """Lines to type: all parameters right but one."""
    arguments = [one for one in command.params if isinstance(one, click.Argument)]
    for wrong in command.params:
        for value in wrong_values(wrong, places):
            needed = [one for one in arguments if one.required or one is wrong]
            words = [value if one is wrong else RIGHT.get(one.name, places[3]) for one in needed]
            option = [wrong.opts[-1], value] if isinstance(wrong, click.Option) else []
            yield [*option, "--", *words] if wrong.name != "config" else [*option, *words]


def is_clear(arguments, typed=SECRET):
    """Assert that the command ended in words; its exit code."""
    done = CliRunner().invoke(main, arguments, input=typed)
    assert done.exception is None or isinstance(done.exception, SystemExit), (arguments, done.exc_info)
    assert done.exit_code in (0, 1, 2), (arguments, done.output)
    assert done.exit_code == 0 or done.output.strip(), arguments
    assert "Traceback" not in done.output and "Errno" not in done.output, (arguments, done.output)
    return done.exit_code


@pytest.mark.parametrize("name", sorted(set(main.commands) - set(ENDLESS)))
@pytest.mark.parametrize("state", ["resting", "running"])
def test_no_command_ends_in_a_traceback_whatever_is_typed(state, name, config, island, places, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARCHIPEL_CONFIG", str(config if state == "resting" else island))
    begun = [name, *ONCE.get(name, ())]
    tried = [is_clear([*begun, *line]) for line in lines_for(main.commands[name], places)]
    tried.append(is_clear(begun, typed=b"\xff\xfe\xe9"))
    assert len(tried) > 10 and any(tried), "nothing of it was wrong"


@pytest.mark.parametrize("data", ["FILE", "FILE/x", "/proc/nowhere", "NOWHERE", "GARBAGE", "FOLDERS"])
@pytest.mark.parametrize("name", sorted(set(main.commands) - {"demo"}))
def test_no_command_minds_what_the_data_folder_is(name, data, tmp_path, places, monkeypatch):
    file, garbage, folders = tmp_path / "file", tmp_path / "garbage", tmp_path / "folders"
    file.touch()
    for part in ("charter", "island.key", "papers", "secrets", "portal.key", "wipe.code"):
        (garbage / "keys").mkdir(parents=True, exist_ok=True)
        (garbage / "keys" / part).write_bytes(b"\xff" * 40)
        (folders / "keys" / part).mkdir(parents=True)
    for part in ("lock", "control.sock", "records.journal", "archive.db"):
        (folders / part).mkdir()
    put = {"FILE": file, "FILE/x": file / "x", "NOWHERE": tmp_path / "no" / "where", "GARBAGE": garbage, "FOLDERS": folders}
    path = write_config(tmp_path, "Île")
    path.write_text(path.read_text().replace(str(tmp_path / "data"), str(put.get(data, data))))
    monkeypatch.setenv("ARCHIPEL_CONFIG", str(path))
    monkeypatch.chdir(tmp_path)
    if name == "run" and data == "NOWHERE":
        return  # it would found an island there, and run
    arguments = [RIGHT.get(one.name, places[1]) for one in main.commands[name].params if isinstance(one, click.Argument)]
    extra = {"found": ["--key", "new.key"], "wipe": ["--yes"]}.get(name, [])
    is_clear([name, *extra, *arguments])


def test_a_settings_file_that_is_none_stops_no_command_without_words(places, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    tried = [is_clear(["status", "--config", path]) for path in places] + [is_clear(["--config"]), is_clear(["\udce9"])]
    assert len(tried) == len(places) + 2


# what only a shell can do

def shell(line, **more):
    """A line as a shell runs it, `archipel` being the real program: exit code, output, errors."""
    command = f'archipel() {{ "{sys.executable}" -m node "$@"; }}; {line}'
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, stdin=subprocess.DEVNULL, **more)
    assert b"Traceback" not in done.stderr and b"Exception ignored" not in done.stderr, done.stderr.decode()
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


@pytest.mark.process
@pytest.mark.parametrize(("line", "code", "said"), [
    ("archipel --help | head -1", 0, ""), ("archipel --help >/dev/full", 1, "no room left"),
    ("archipel keys --json >/dev/full", 1, "no room left"), ("archipel list >&-", 0, ""),
    ("archipel post <&-", 1, "write something"),
    ("archipel backup b <&-", 1, "longer"), ("archipel read <&-", 1, "mistake"),
    ("archipel join - <&-", 1, "belongs to a set"),
    ("archipel join <&-", 2, "FILE"), ("archipel status 2>&-", 0, ""), ("archipel post $'caf\\xe9'", 2, "UTF-8"),
    ("archipel import $'caf\\xe9.bundle'", 2, "does not exist"), ("printf 'caf\\xe9' | archipel post", 1, "no text"),
    ("LC_ALL=fr_FR.ISO-8859-1 PYTHONUTF8=0 archipel list", 0, ""), ("archipel export /dev/null", 1, "already"),
    ("archipel invite --no-qr --out /dev/null", 1, "already"),
    ("echo cheval pile agrafe | archipel backup /dev/null", 1, "already"),
])
def test_shells_may_close_and_fill_what_they_like(line, code, said, island, tmp_path):
    returned, _, errors = shell(f"cd {tmp_path}; export PYTHONPATH={ROOT}; {line}",
                                env=os.environ | {"ARCHIPEL_CONFIG": str(island)})
    assert (returned, said in errors) == (code, True), errors


@pytest.mark.process
@pytest.mark.parametrize("line", ["backup {}/x", "export {}/x", "invite --no-qr --out {}/x", "newkey {}/x"])
def test_a_full_stick_is_said_and_leaves_nothing_half_written(line, island, tmp_path):
    """A limit on the size of files is the fullest disk that needs no right to mount one."""
    def full():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (16, 16))

    code, _, errors = shell(f"echo cheval pile agrafe | archipel {line.format(tmp_path)}", preexec_fn=full,
                            env=os.environ | {"ARCHIPEL_CONFIG": str(island), "PYTHONDONTWRITEBYTECODE": "1"})
    assert code == 1 and "too large for that place" in errors, errors
    assert not list(tmp_path.iterdir())


@pytest.mark.process
@pytest.mark.parametrize("after_s", [0, 0.2, 0.5, 2])
def test_ctrl_c_ends_a_command_without_a_traceback_while_it_loads_or_waits(after_s, island):
    process = subprocess.Popen([sys.executable, "-m", "node", "sync", "--wait", "600"], cwd=ROOT, stderr=subprocess.PIPE,
                               env=os.environ | {"ARCHIPEL_CONFIG": str(island)},
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))  # tests may run without it
    time.sleep(after_s)  # whether Python is starting, or loads the command, or that waits: all of it ends in silence
    process.send_signal(signal.SIGINT)
    errors = process.communicate(timeout=60)[1].decode()
    assert process.returncode in (1, 130, -signal.SIGINT) and "Traceback" not in errors, errors


@pytest.mark.process
def test_a_lock_and_a_socket_that_a_power_cut_left_keep_nothing_from_working(tmp_path):
    config = write_config(tmp_path, "Île")
    assert archipel("init", "--config", config)[0] == 0
    (tmp_path / "data" / "lock").write_text("4194304\n")
    (tmp_path / "data" / "control.sock").touch()
    assert "Start it: archipel run" in archipel("list", "--config", config)[1]
    with running(config):
        until(lambda: archipel("list", "--config", config)[0] == 0)


@pytest.mark.parametrize(("line", "file"), [
    ("invite --no-qr --out FILE", "FILE"), ("newkey FILE", "FILE"), ("backup FILE", "FILE"),
    ("found Belleville --key FILE --key FILE2", "FILE"),
    ("init", "data/keys/island.key"), ("init", "data/keys/charter"),
])
def test_secrets_are_written_for_their_user_only(line, file, tmp_path, monkeypatch):
    config = write_config(tmp_path, "Île")
    before = os.umask(0)
    try:
        if line.split()[0] in ("invite", "backup"):
            archipel("init", "--config", config)
        monkeypatch.setenv("ARCHIPEL_CONFIG", str(config))
        code, output = archipel(*line.replace("FILE", str(tmp_path / "FILE")).split(), typed=2 * SECRET)
    finally:
        os.umask(before)
    assert code == 0, output
    assert (tmp_path / file).stat().st_mode & 0o777 == 0o600


def test_nothing_that_others_wrote_steers_the_terminal(tmp_path):
    steering = "Bel\x1b]0;x\x07le\x9b2J\u202eville"
    (tmp_path / "theirs").mkdir()
    (tmp_path / "ours").mkdir()
    theirs, ours = write_config(tmp_path / "theirs", steering), write_config(tmp_path / "ours", "Nous")
    assert archipel("init", "--set", steering, "--config", theirs)[0] == 0
    letters = tmp_path / "letters"
    assert archipel("invite", "--no-qr", "--out", letters, "--config", theirs)[0] == 0
    said = [archipel("join", letters, "--config", ours)[1]]
    with running(ours):
        said += [archipel(command, "--config", ours)[1] for command in ("status", "keys", "doctor")]
        said.append(archipel("status", "--json", "--config", ours)[1])
    assert sum("Bel" in one for one in said) >= 2, said
    assert not [one for one in said if {"\x1b", "\x07", "\x9b", "\u202e"} & set(one)], said
