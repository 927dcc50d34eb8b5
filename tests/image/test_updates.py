"""The SD image's updates and sticks, without building it."""

import os
import random
import shutil
import subprocess
import sys

import pytest

from archipel_image import bundle
from archipel_image.sources import OVERLAY, PROJECT, program

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
    with pytest.raises(update.UpdateRefused, match="signature"):
        update.take(tmp_path / "stick", app, public, "0.1.0")
    assert everything(app) == {}


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
    assert not program("update")._inside(path)


def test_an_older_version_is_not_taken(tmp_path, maker):
    update, (_, public, make), app = program("update"), maker, app_folder(tmp_path)
    make("0.2.0")
    assert update.take(tmp_path / "stick", app, public, "0.2.0") is None
    assert update.take(tmp_path / "stick", app, public, "0.11.0") is None


def test_a_version_that_answers_is_kept_and_the_one_before_is_cleared_away(tmp_path, maker):
    update, (_, public, make), app = program("update"), maker, app_folder(tmp_path)
    for version in ("0.2.0", "0.3.0"):
        make(version)
        update.take(tmp_path / "stick", app, public, "0.1.0")
        assert update.watch(app, lambda: True)
    assert update.current(app) == "0.3.0" and not (app / "0.2.0").exists() and not (app / "trial").exists()


def test_a_mute_version_gives_way_to_the_one_before_and_is_not_taken_again(tmp_path, maker):
    update, (_, public, make), app = program("update"), maker, app_folder(tmp_path)
    make("0.2.0")
    update.take(tmp_path / "stick", app, public, "0.1.0")
    assert update.watch(app, lambda: True)
    make("0.3.0")
    assert update.take(tmp_path / "stick", app, public, "0.1.0") == "0.3.0"
    assert not update.watch(app, lambda: False)
    assert update.current(app) == "0.2.0"
    assert update.take(tmp_path / "stick", app, public, "0.1.0") is None


def test_the_first_update_when_mute_gives_way_to_the_version_of_the_card(tmp_path, maker):
    update, (_, public, make), app = program("update"), maker, app_folder(tmp_path)
    make("0.2.0")
    update.take(tmp_path / "stick", app, public, "0.1.0")
    assert not update.watch(app, lambda: False)
    assert update.current(app) is None and (app / "refused").read_text() == "0.2.0\n"


def test_a_version_that_was_good_and_falls_mute_gives_way_but_may_come_back(tmp_path, maker):
    update, (_, public, make), app = program("update"), maker, app_folder(tmp_path)
    make("0.2.0")
    update.take(tmp_path / "stick", app, public, "0.1.0")
    update.watch(app, lambda: True)
    assert not update.watch(app, lambda: False)
    assert update.current(app) is None
    assert update.take(tmp_path / "stick", app, public, "0.1.0") == "0.2.0"


def test_wherever_the_power_goes_during_an_update_a_whole_version_is_in_use(tmp_path, maker, monkeypatch):
    update, (_, public, make), app = program("update"), maker, app_folder(tmp_path)
    make("0.2.0")
    update.take(tmp_path / "stick", app, public, "0.1.0")
    update.watch(app, lambda: True)
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
        assert update.watch(app, lambda: True)
    assert steps > 5 and update.current(app) == "0.3.0"


# sticks


def archipel_in(folder, name, invitation=None):
    """An island in `folder`; the environment in which the stick's script finds it."""
    folder.mkdir()
    (folder / "archipel.toml").write_text(
        f'[node]\nname = "{name}"\ndata = "{folder / "data"}"\n[radio]\nconnect = "none"\n')
    launch = folder / "launch"
    launch.write_text(f'#!/bin/sh\ncd {PROJECT}\nexec {sys.executable} -m node "$@"\n')
    launch.chmod(0o755)
    environment = {**os.environ, "ARCHIPEL": str(launch), "ARCHIPEL_CONFIG": str(folder / "archipel.toml")}
    subprocess.run([launch, *(["join", str(invitation)] if invitation else ["init"])], env=environment, check=True,
                   stdout=subprocess.DEVNULL)
    return environment


def plug(stick, folder, environment):
    subprocess.run([OVERLAY / "usr/lib/archipel/stick", str(stick), str(folder / "data")], env=environment, check=True)


def test_a_stick_carries_what_one_island_has_to_the_next(tmp_path):
    stick = tmp_path / "stick"
    stick.mkdir()
    one = archipel_in(tmp_path / "one", "Nord")
    invited = subprocess.run([one["ARCHIPEL"], "invite", "--no-qr", "--out", str(tmp_path / "paper")], env=one, check=True,
                             capture_output=True)
    assert invited.returncode == 0
    two = archipel_in(tmp_path / "two", "Sud", tmp_path / "paper")
    plug(stick, tmp_path / "one", one)
    assert len(list(stick.glob("archipel/*/*.bundle"))) == 1
    plug(stick, tmp_path / "two", two)
    assert len(list(stick.glob("archipel/*/*.bundle"))) == 2
    assert "known" in (stick / "archipel.txt").read_text() and "Error" not in (stick / "archipel.txt").read_text()


@pytest.mark.parametrize("name", ["archipel-wipe.txt", "archipel-wipe.txt.txt", "Archipel-Wipe.TXT", "archipel-wipe"])
def test_a_stick_that_says_so_orders_the_island_destroyed_and_nothing_else_is_done(tmp_path, name):
    stick = tmp_path / "stick"
    stick.mkdir()
    (stick / name).touch()
    environment = archipel_in(tmp_path / "one", "Nord")
    plug(stick, tmp_path / "one", environment)
    assert (tmp_path / "one/data/WIPE").exists() and not (stick / "archipel").exists()
