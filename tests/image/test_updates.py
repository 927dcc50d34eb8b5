"""The SD image's updates and sticks, without building it."""

import hashlib
import json
import os
import random
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from archipel_image import bundle
from archipel_image.sources import OVERLAY, program
from node.i18n.catalogue import catalogue
from node.i18n.sentence import Sentence
from tests.image.imageparts import archipel_in, plug
from tests.sim.durability import Syncs

# updates


@pytest.fixture
def maker(tmp_path):
    """(key, public bytes, a function that makes a bundle of a version on the stick)."""
    key = bundle.signing_key(tmp_path / "private/update.key")
    stick, made = tmp_path / "stick", tmp_path / "made"
    stick.mkdir()

    def make(version, with_key=key):
        shutil.rmtree(made, ignore_errors=True)
        (made / "node/sub").mkdir(parents=True)
        (made / "node/__main__.py").write_text(f"print('{version}')\n")
        (made / "node/sub/words.txt").write_text(version * 100)
        return bundle.make_bundle(made, version, with_key, stick)

    return key, bundle.public_bytes(key), make


def app_folder(tmp_path):
    folder = tmp_path / "app"
    folder.mkdir()
    return folder


def everything(folder):
    """Names and contents under a folder."""
    return {str(path.relative_to(folder)): os.readlink(path) if path.is_symlink() else path.is_file() and path.read_bytes()
            for path in folder.rglob("*")}


def test_the_newest_signed_version_is_unpacked_and_switched_to(tmp_path, maker):
    update, (_, public, make), app = program("update"), maker, app_folder(tmp_path)
    for version in ("0.2.0", "0.10.0", "0.9.1"):
        make(version)
    assert update.take(tmp_path / "stick", app, public, "0.1.0") == "0.10.0" == update.current(app)
    assert (app / "current/node/__main__.py").read_text() == "print('0.10.0')\n"
    assert update.take(tmp_path / "stick", app, public, "0.1.0") is None


def test_an_update_by_somebody_else_is_refused_and_changes_nothing(tmp_path, maker):
    update, (_, public, make), app = program("update"), maker, app_folder(tmp_path)
    make("0.2.0", bundle.signing_key(tmp_path / "stranger.key"))
    with pytest.raises(update.UpdateRefused, match="not made by who makes"):
        update.take(tmp_path / "stick", app, public, "0.1.0")
    assert everything(app) == {}


def test_the_desk_is_told_which_version_the_last_stick_held(tmp_path, maker):
    update, (_, public, make), app = program("update"), maker, app_folder(tmp_path)
    for version in ("0.2.0", "0.10.0"):
        make(version)
    update.take(tmp_path / "stick", app, public, "0.11.0")
    assert (app / "seen").read_text() == "0.10.0"
    for path in (tmp_path / "stick").iterdir():
        path.unlink()
    update.take(tmp_path / "stick", app, public, "0.11.0")
    assert not (app / "seen").exists()


def test_a_bundle_with_any_byte_changed_or_missing_is_never_switched_to(tmp_path, maker):
    update, (_, public, make), app = program("update"), maker, app_folder(tmp_path)
    path, rng = make("0.2.0"), random.Random(7)
    whole = path.read_bytes()
    for at in sorted({*range(0, 24), *rng.sample(range(len(whole)), 150)}):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << rng.randrange(8))]) + whole[at + 1:])
        with pytest.raises(update.UpdateRefused):
            update.take(tmp_path / "stick", app, public, "0.1.0")
    for size in rng.sample(range(len(whole)), 60):
        path.write_bytes(whole[:size])
        with pytest.raises(update.UpdateRefused):
            update.take(tmp_path / "stick", app, public, "0.1.0")
    assert update.current(app) is None


@pytest.mark.parametrize("path", [
    "../evil", "/etc/passwd", "node/../../evil", "", ".hidden", "a//b", "node/x\n", 5, "a" * 500])
def test_even_a_signed_path_stays_inside(path):
    assert not program("signed").inside(path)


def test_an_older_version_is_not_taken(tmp_path, maker):
    update, (_, public, make), app = program("update"), maker, app_folder(tmp_path)
    make("0.2.0")
    assert update.take(tmp_path / "stick", app, public, "0.2.0") is None
    assert update.take(tmp_path / "stick", app, public, "0.11.0") is None


def watched(tmp_path, public, answers):
    """One look by the real watch; whether it went back to another version."""
    return program("update").watch(tmp_path / "app", answers, public, "0.1.0")


def told(tmp_path):
    """What the first page tells of updates, in English, newest first."""
    path = tmp_path / "app/notices"
    return [str(Sentence.of(json.loads(line))) for line in path.read_text().splitlines()] if path.exists() else []


def installed(tmp_path, public, make, *versions):
    """The folder of a box on which these versions were taken and answered, one after the other."""
    update, app = program("update"), app_folder(tmp_path)
    for version in versions:
        make(version)
        assert update.take(tmp_path / "stick", app, public, "0.1.0") == version
        assert not watched(tmp_path, public, answers=True)
    return app


def test_a_version_that_answers_is_kept_and_the_one_before_is_cleared_away(tmp_path, maker):
    update, (_, public, make) = program("update"), maker
    app = installed(tmp_path, public, make, "0.2.0", "0.3.0")
    assert update.current(app) == "0.3.0" and not (app / "0.2.0").exists() and not (app / "trial").exists()
    assert told(tmp_path) == ["Version 0.3.0 of Archipel is installed and works."]


def test_a_mute_version_gives_way_to_the_one_before_and_is_not_taken_again(tmp_path, maker):
    update, (_, public, make) = program("update"), maker
    app = installed(tmp_path, public, make, "0.2.0")
    make("0.3.0")
    assert update.take(tmp_path / "stick", app, public, "0.1.0") == "0.3.0"
    assert watched(tmp_path, public, answers=False)
    assert update.current(app) == "0.2.0"
    assert "update to version 0.3.0" in told(tmp_path)[0] and "gone back to version 0.2.0" in told(tmp_path)[0]
    assert update.take(tmp_path / "stick", app, public, "0.1.0") is None
    make("0.4.0")
    assert update.take(tmp_path / "stick", app, public, "0.1.0") == "0.4.0"


def test_a_mute_version_does_not_give_way_to_one_that_the_card_has_damaged(tmp_path, maker):
    update, (_, public, make) = program("update"), maker
    app = installed(tmp_path, public, make, "0.2.0")
    make("0.3.0")
    assert update.take(tmp_path / "stick", app, public, "0.1.0") == "0.3.0"
    (app / "0.2.0/node/__main__.py").write_bytes(b"")
    assert watched(tmp_path, public, answers=False) and update.current(app) is None
    assert "gone back to version 0.1.0" in told(tmp_path)[0]


def test_the_first_update_when_mute_gives_way_to_the_version_of_the_card(tmp_path, maker):
    update, (_, public, make), app = program("update"), maker, app_folder(tmp_path)
    make("0.2.0")
    update.take(tmp_path / "stick", app, public, "0.1.0")
    assert watched(tmp_path, public, answers=False)
    assert update.current(app) is None and (app / "refused").read_text() == "0.2.0\n"
    assert "gone back to version 0.1.0" in told(tmp_path)[0]


@pytest.mark.parametrize("starts", [[False], [False] * 9, [True, False, True, False, False]])
def test_a_version_that_answered_once_stays_however_often_the_portal_is_mute_and_that_is_told(tmp_path, maker, starts):
    update, (_, public, make) = program("update"), maker
    app = installed(tmp_path, public, make, "0.2.0")
    before = everything(app / "0.2.0")
    assert starts
    for answers in starts:
        assert not watched(tmp_path, public, answers)
        assert update.current(app) == "0.2.0" and everything(app / "0.2.0") == before
    assert "version 0.2.0 stays in use" in told(tmp_path)[0] and len(told(tmp_path)) == 2
    assert not (app / "refused").exists()


def test_the_version_of_the_card_that_is_mute_at_a_start_is_told_too(tmp_path, maker):
    _, public, _ = maker
    app_folder(tmp_path)
    assert not watched(tmp_path, public, answers=False)
    assert "version 0.1.0 stays in use" in told(tmp_path)[0]


@pytest.mark.parametrize("harm", ["changed", "gone", "its list"])
def test_a_version_that_the_card_damaged_gives_way_and_may_come_back(tmp_path, maker, harm):
    update, (_, public, make) = program("update"), maker
    app = installed(tmp_path, public, make, "0.2.0")
    victim = app / "0.2.0" / (".manifest" if harm == "its list" else "node/sub/words.txt")
    victim.unlink() if harm == "gone" else victim.write_bytes(victim.read_bytes()[:-1])
    assert watched(tmp_path, public, answers=False)
    assert update.current(app) is None and "damaged on the memory card" in told(tmp_path)[0]
    assert update.take(tmp_path / "stick", app, public, "0.1.0") == "0.2.0"
    assert not watched(tmp_path, public, answers=True) and update.current(app) == "0.2.0"


def test_an_update_whose_files_are_gone_from_the_card_is_taken_from_the_stick_again(tmp_path, maker):
    update, (_, public, make) = program("update"), maker
    app = installed(tmp_path, public, make, "0.2.0")
    shutil.rmtree(app / "0.2.0")
    assert update.take(tmp_path / "stick", app, public, "0.1.0") == "0.2.0"


@pytest.mark.parametrize(("of_the_root", "counts"), [("0.1.0", "0.2.0"), ("0.2.0", "0.2.0"), ("0.10.0", "0.10.0")])
def test_of_the_update_and_of_what_a_newer_system_brought_the_newer_one_counts(tmp_path, maker, of_the_root, counts):
    update, (_, public, make) = program("update"), maker
    app = installed(tmp_path, public, make, "0.2.0")
    assert update.in_use(app, of_the_root) == counts
    assert not update.watch(app, False, public, of_the_root) and f"version {counts} stays" in told(tmp_path)[0]
    make("0.9.0")
    assert update.take(tmp_path / "stick", app, public, of_the_root) == ("0.9.0" if counts == "0.2.0" else None)


@pytest.mark.process
@pytest.mark.parametrize(("of_the_root", "on_data", "started"), [
    ("0.1.0", None, "root"), ("0.1.0", "0.2.0", "data"), ("0.2.0", "0.2.0", "root"), ("0.10.0", "0.9.0", "root"),
    ("0.9.0", "0.10.0", "data"), ("0.1.0", "0.2.0 without its files", "root"), ("0.1.0", "noise", "root")])
def test_the_command_is_of_the_newer_version(tmp_path, of_the_root, on_data, started):
    (tmp_path / "root" / of_the_root).mkdir(parents=True)
    (tmp_path / "data").mkdir()
    (tmp_path / "root/current").symlink_to(of_the_root)
    if on_data:
        version = on_data.split()[0]
        (tmp_path / "data" / version / ("" if "without" in on_data else "node")).mkdir(parents=True)
        (tmp_path / "data/current").symlink_to(version)
    text = (OVERLAY / "usr/lib/archipel/launch").read_text().replace("/opt/archipel", str(tmp_path / "root"))
    text = text.replace("/data/app", str(tmp_path / "data"))
    text = text.replace('exec /usr/bin/python3 -m node "$@"', 'echo "$PYTHONPATH"')
    said = subprocess.run(["sh", "-c", text], capture_output=True, text=True, check=True).stdout.strip()
    assert said == str(tmp_path / started / "current")


def test_old_news_of_updates_is_no_news(tmp_path, maker):
    _, public, make = maker
    app = installed(tmp_path, public, make, "0.2.0")
    assert not watched(tmp_path, public, answers=True) and told(tmp_path)
    os.utime(app / "notices", (1_000_000_000, 1_000_000_000))
    assert not watched(tmp_path, public, answers=True) and not told(tmp_path)


def test_what_is_told_of_updates_is_in_every_language():
    said = {**vars(program("signed")), **vars(program("update"))}
    texts = [value for name, value in said.items() if name.isupper() and isinstance(value, str) and " " in value]
    assert len(texts) == 10
    for tag in ("fr", "es", "ar"):
        assert not [text for text in texts if catalogue(tag).gettext(text) == text]


def test_wherever_the_power_goes_during_an_update_a_whole_version_is_in_use(tmp_path, maker, monkeypatch):
    update, (_, public, make) = program("update"), maker
    app = installed(tmp_path, public, make, "0.2.0")
    make("0.3.0")
    real, steps = os.fsync, 0
    for cut in range(100):
        left = iter(range(cut))

        def fsync(descriptor, left=left):
            if next(left, None) is None:
                raise KeyboardInterrupt  # the power
            real(descriptor)

        monkeypatch.setattr(os, "fsync", fsync)
        try:
            update.take(tmp_path / "stick", app, public, "0.1.0")
            break
        except KeyboardInterrupt:
            steps += 1
        finally:
            monkeypatch.setattr(os, "fsync", real)
        in_use = update.current(app)
        assert (app / in_use / "node/sub/words.txt").read_text() == in_use * 100
        assert not watched(tmp_path, public, answers=True)
    assert steps > 5 and update.current(app) == "0.3.0"


def test_wherever_the_power_goes_while_a_mute_update_is_taken_back_the_version_before_is_in_use_in_the_end(
        tmp_path, maker, monkeypatch):
    update, (_, public, make) = program("update"), maker
    app = installed(tmp_path, public, make, "0.2.0")
    make("0.3.0")
    assert update.take(tmp_path / "stick", app, public, "0.1.0") == "0.3.0"
    shutil.copytree(app, tmp_path / "as it was", symlinks=True)
    real, cuts = os.fsync, 0
    for cut in range(100):
        shutil.rmtree(app)
        shutil.copytree(tmp_path / "as it was", app, symlinks=True)
        left = iter(range(cut))

        def fsync(descriptor, left=left):
            if next(left, None) is None:
                raise KeyboardInterrupt  # the power
            real(descriptor)

        monkeypatch.setattr(os, "fsync", fsync)
        try:
            watched(tmp_path, public, answers=False)
        except KeyboardInterrupt:
            cuts += 1
        finally:
            monkeypatch.setattr(os, "fsync", real)
        watched(tmp_path, public, answers=update.current(app) == "0.2.0")  # the next start: 0.3.0 is mute, 0.2.0 is not
        assert update.current(app) == "0.2.0" and "0.3.0" in (app / "refused").read_text().split()
        assert any("gone back to version 0.2.0" in line for line in told(tmp_path))
        if cuts <= cut:
            break
    assert cuts > 3


def put_odd_things(stick):
    """What a stick may hold under names like an update's, newer than any."""
    (stick / "archipel-update-97.0.0.bundle").mkdir()
    (stick / "archipel-update-96.0.0.bundle").mkdir()
    (stick / "archipel-update-96.0.0.bundle/archipel-update-96.0.0.bundle").write_bytes(b"x")
    os.mkfifo(stick / "archipel-update-95.0.0.bundle")
    (stick / "archipel-update-94.0.0.bundle").symlink_to("/dev/zero")
    (stick / "archipel-update-93.0.0.bundle").symlink_to("nowhere")
    (stick / "archipel-update-92.0.0.bundle").symlink_to(stick)
    (stick / "archipel-update-91.0.0.bundle").write_bytes(b"")
    (stick / "archipel-update-90.0.0.bundle").write_bytes(b"archipel update 1\n" + b"x" * 3_000_000)
    with (stick / "archipel-update-89.0.0.bundle").open("wb") as file:
        file.truncate(1 << 40)
    (stick / "archipel-update-99999999999999999999.bundle").write_bytes(b"archipel update 1\n{}\n")
    (stick / "archipel-update-\u0669\u0669.0.bundle").write_bytes(b"archipel update 1\n[]\n" + b"0" * 128 + b"\n")
    (stick / "._archipel-update-0.9.0.bundle").write_bytes(b"Mac OS X")
    (stick / "archipel-update-.bundle").write_bytes(b"\0" * 100)
    (stick / os.fsdecode(b"archipel-update-\xff\xfe.bundle")).write_bytes(b"archipel")
    unreadable = stick / "archipel-update-88.0.0.bundle"
    unreadable.write_bytes(b"x")
    unreadable.chmod(0)


def test_whatever_else_is_named_like_an_update_keeps_none_from_being_taken(tmp_path, maker):
    update, (_, public, make), app = program("update"), maker, app_folder(tmp_path)
    make("0.2.0")
    put_odd_things(tmp_path / "stick")
    assert update.take(tmp_path / "stick", app, public, "0.1.0") == "0.2.0"


def test_what_became_a_link_or_a_pipe_since_it_was_found_is_neither_followed_nor_waited_for(tmp_path):
    update, pipe, link = program("update"), tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to("/etc/hostname")
    with pytest.raises(update.UpdateRefused):
        update.open_plain(pipe)
    with pytest.raises(OSError):
        update.open_plain(link)


def test_a_stick_with_nothing_but_odd_things_changes_nothing_and_says_so_once(tmp_path, maker):
    update, (_, public, _), app = program("update"), maker, app_folder(tmp_path)
    put_odd_things(tmp_path / "stick")
    with pytest.raises(update.UpdateRefused):
        update.take(tmp_path / "stick", app, public, "0.1.0")
    assert everything(app) == {}


@pytest.mark.parametrize("harm", ["forged", "cut short"])
def test_an_older_update_is_taken_if_the_newest_is_no_good(tmp_path, maker, harm):
    update, (_, public, make), app = program("update"), maker, app_folder(tmp_path)
    make("0.2.0")
    newest = make("0.3.0", bundle.signing_key(tmp_path / "stranger.key")) if harm == "forged" else make("0.3.0")
    newest.write_bytes(newest.read_bytes()[:-1])
    assert update.take(tmp_path / "stick", app, public, "0.1.0") == "0.2.0"
    assert not (app / "0.3.0.new").exists()


@pytest.mark.parametrize("name", ["archipel-update-0.2.0 (1).bundle", "Archipel-Update-0.2.0.BUNDLE",
                                  "archipel-update.bundle.txt", "Copie de archipel-update-0.2.0.bundle"])
def test_an_update_is_found_under_the_names_that_computers_give_it(tmp_path, maker, name):
    update, (_, public, make), app = program("update"), maker, app_folder(tmp_path)
    make("0.2.0").rename(tmp_path / "stick" / name)
    assert update.take(tmp_path / "stick", app, public, "0.1.0") == "0.2.0"


@pytest.mark.parametrize(("line", "sound"), [
    (b"[]", False), (b"5", False), (b"{}", False), (b"{", False), (b"[" * 100_000, False), (b"null", False),
    (b'{"version": 5, "files": []}', False), (b'{"version": "0.2.0", "files": 5}', False),
    (b'{"version": "0.2.0", "files": [["a"]]}', False), (b'{"version": "../0.2.0", "files": []}', False),
    (b'{"version": "0.2.0", "files": [["../evil", 0, "%s"]]}' % hashlib.sha256().hexdigest().encode(), False),
    (b'{"version": "0.2.0", "files": [["a", 0, "%s"], ["a", 0, "%s"]]}' % ((hashlib.sha256().hexdigest().encode(),) * 2),
     False),
    (b'{"version": "0.2.0", "files": []}', True)])
def test_even_a_signed_list_of_files_that_is_odd_stops_no_other(tmp_path, maker, line, sound):
    update, (key, public, make), app = program("update"), maker, app_folder(tmp_path)
    signed = update.MARK + line + b"\n"
    (tmp_path / "stick/archipel-update-9.bundle").write_bytes(signed + key.sign(signed).hex().encode() + b"\n")
    make("0.1.1")
    assert update.take(tmp_path / "stick", app, public, "0.1.0") == ("0.2.0" if sound else "0.1.1")


def test_what_was_not_taken_and_why_is_told(tmp_path, maker, monkeypatch, capsys):
    update, (_, public, make), app = program("update"), maker, app_folder(tmp_path)
    (tmp_path / "update.pub").write_bytes(public)
    (tmp_path / "0.1.0").mkdir()
    monkeypatch.setattr(update, "PUBLIC_KEY", tmp_path / "update.pub")
    monkeypatch.setattr(update, "BUILT_IN", tmp_path / "0.1.0")
    path = make("0.2.0")
    path.write_bytes(path.read_bytes()[:-1])
    assert update.main("take", str(tmp_path / "stick"), str(app)) == 1
    assert told(tmp_path) == ["An update on the stick was not taken: It is damaged or cut short. Copy it again."]
    assert update.main("take", str(tmp_path / "stick"), str(app)) == 1 and len(told(tmp_path)) == 1
    assert update.main("take", str(tmp_path / "gone"), str(app)) == 1 and "No such file" in told(tmp_path)[0]
    assert "cut short" in capsys.readouterr().err


# sticks


def test_a_stick_carries_what_one_island_has_to_the_next(tmp_path):
    stick = tmp_path / "stick"
    stick.mkdir()
    one = archipel_in(tmp_path / "one", "Nord")
    invited = subprocess.run([one["ARCHIPEL"], "invite", "--no-qr", "--out", str(tmp_path / "paper")], env=one, check=True,
                             capture_output=True)
    assert invited.returncode == 0
    two = archipel_in(tmp_path / "two", "Sud", tmp_path / "paper")
    plug(stick, tmp_path / "one", one, tmp_path)
    assert len(list(stick.glob("archipel/*/*.bundle"))) == 1
    plug(stick, tmp_path / "two", two, tmp_path)
    assert len(list(stick.glob("archipel/*/*.bundle"))) == 2
    assert "known" in (stick / "archipel.txt").read_text() and "Error" not in (stick / "archipel.txt").read_text()


def test_the_portal_answers_when_whole_pages_came_several_times_in_a_row(monkeypatch):
    update, pages = program("update"), [b"<html></html>", None, b"<html></html>", b"", *[b"<html></html>"] * 3]
    asked = iter(pages)

    class Portal(BaseHTTPRequestHandler):
        def do_GET(self):
            page = next(asked)
            self.send_response(500 if page is None else 200)
            self.end_headers()
            self.wfile.write(page or b"")

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Portal) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setattr(update, "PORTAL", f"http://127.0.0.1:{server.server_port}/")
        monkeypatch.setattr(update, "PAUSE_S", 0)
        assert update.portal_answers(60) and list(asked) == []
        assert not update.portal_answers(0)
        server.shutdown()


def test_what_a_power_cut_left_of_a_switch_is_in_no_other_s_way(tmp_path):
    update, app = program("update"), app_folder(tmp_path)
    (app / "current.new").symlink_to("0.2.0")
    update.switch(app, "0.3.0")
    assert update.current(app) == "0.3.0" and not (app / "current.new").is_symlink()


def test_an_unpacked_version_is_on_the_card_before_it_is_switched_to(tmp_path, maker, monkeypatch):
    update, (_, public, make), app = program("update"), maker, app_folder(tmp_path)
    make("0.2.0")
    syncs = Syncs(monkeypatch)
    assert update.take(tmp_path / "stick", app, public, "0.1.0") == "0.2.0"
    assert syncs.moves > 2 and [one for one in syncs.lacking() if not one.endswith("current.new")] == []


@pytest.mark.parametrize("leads", ["..", "../evil", "0.2.0/../../evil", "latest", "2", ""])
def test_what_is_no_version_is_none_wherever_it_leads(leads):
    assert program("update").newer(leads, "0.1.0") is None
