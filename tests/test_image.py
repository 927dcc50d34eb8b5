"""The SD image's own code, without building it: settings, updates, layers, units. `make image-test` does the rest."""

import importlib
import io
import os
import random
import re
import shutil
import stat
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

from node.shell.settings import Settings, parse

ROOT = Path(__file__).parent.parent
BUILD = ROOT / "image-build"
OVERLAY = BUILD / "overlay"
UNITS = OVERLAY / "usr/lib/systemd/system"
SERVICES = sorted(path.name for path in UNITS.glob("archipel-*.service"))
MAX_EXPOSURE = 1.5


@pytest.fixture(scope="module", autouse=True)
def on_path():
    """image-build is no package: its programs import each other by name."""
    added = [str(BUILD), str(OVERLAY / "usr/lib/archipel")]
    sys.path[:0] = added
    yield
    sys.path[:] = [path for path in sys.path if path not in added]


def program(name):
    return importlib.import_module(name)


# settings


def boxed(tmp_path, text):
    """What box.py writes for a card whose settings file holds `text`: {name: content}."""
    card, target = tmp_path / "card", tmp_path / "target"
    for folder in (card, target):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    if text is not None:
        (card / "archipel.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    program("box").main(card, target)
    return {path.name: path.read_text() for path in target.iterdir()}


def test_the_settings_file_on_the_card_is_right_as_it_is_and_with_its_examples():
    text = (BUILD / "boot/archipel.toml").read_text()
    assert parse(text) == Settings()
    examples = re.sub(r"(?m)^# (\w+ = )", r"\1", text).replace("AAAA...", "AAAAC3NzaC1lZDI1NTE5AAAA")
    assert parse(examples).box.country == "FR"


def test_without_a_country_the_wifi_stays_off_and_the_portal_says_how_to_set_it(tmp_path):
    files = boxed(tmp_path, '[node]\nname = "Île"\n')
    assert "hostapd.conf" not in files and "dnsmasq.conf" not in files
    assert "no country is set" in files["notices"] and 'country = "FR"' in files["notices"]


def test_with_a_country_the_wifi_is_open_and_keeps_visitors_apart(tmp_path):
    files = boxed(tmp_path, '[node]\nname = "Place des Fêtes"\n[box]\ncountry = "FR"\n')
    lines = files["hostapd.conf"].splitlines()
    assert {"country_code=FR", "ap_isolate=1", f"ssid2={'Place des Fêtes'.encode().hex()}"} <= set(lines)
    assert not [line for line in lines if line.startswith("wpa")]
    assert "interface=wlan0" in files["dnsmasq.conf"] and files["notices"] == ""


def test_a_long_name_of_the_wifi_is_cut_between_letters(tmp_path):
    name = program("box").ssid(parse(f'[node]\nname = "{"é" * 20}x"\n'))
    assert len(name) <= 32 and name.decode() == "é" * 16


@pytest.mark.parametrize("text", [None, b"", b"\xff\xfe", "= = =\n" * 99, '[box]\ncountry = "France"\n[x]\ny = 1\n',
                                  "a = " + "[" * 5_000])
def test_whatever_the_card_holds_the_island_gets_settings_that_it_reads(tmp_path, text):
    files = boxed(tmp_path, text)
    settings = parse(files["archipel.toml"])
    assert settings.node.data == Path("/data/archipel") and settings.portal.behind_front
    assert settings.portal.listen == ("127.0.0.1", 8080)
    assert text == b"" or "archipel.toml" in files["notices"].replace("no country", "", 1)


def test_names_with_quotes_and_signs_reach_the_island_as_they_were_written(tmp_path):
    name = 'Le "Café" \\ ☕ — l’île'
    given = program("box").toml(parse(f"[node]\nname = '{name}'\nposition = \"48.8752, 2.3931\"\n[radio]\nshare = 2.5\n"
                                       '[lan]\npeers = "192.168.1.20, 192.168.1.30:8080"\n'))
    settings = parse(given)
    assert settings.lan.peers == (("192.168.1.20", 80), ("192.168.1.30", 8080))
    assert (settings.node.name, settings.node.position, settings.radio.share) == (name, (48.8752, 2.3931), 2.5)


def test_keys_and_passwords_are_written_for_the_services_that_need_them_only(tmp_path):
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJveA== someone@somewhere"
    files = boxed(tmp_path, f'[box]\nssh_key = "{key}"\nbroker_password = "mot de passe"\nethernet = "host"\n'
                            'keeper = "Samira"\nkeeper_password = "quatre mots au hasard"\n')
    assert files["ssh_key"] == key + "\n" and files["broker_password"] == "mot de passe"
    assert (files["keeper"], files["keeper_password"]) == ("Samira\n", "quatre mots au hasard\n")
    assert "Address=198.51.100.129/25" in files["cable.network"] and "interface=eth0" in files["dnsmasq.conf"]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o640 for path in (tmp_path / "target").iterdir())
    assert {"ssh_key", "broker_password", "keeper", "hostapd.conf"}.isdisjoint(boxed(tmp_path, ""))


def test_an_invitation_on_the_card_is_handed_on(tmp_path):
    (tmp_path / "card").mkdir()
    (tmp_path / "card/Invitation de Nord.txt").write_text("ABCDE")
    (tmp_path / "target").mkdir()
    program("box").main(tmp_path / "card", tmp_path / "target")
    assert (tmp_path / "target/invitation").read_text() == "ABCDE"


# updates


@pytest.fixture
def maker(tmp_path):
    """(key, public bytes, a function that makes a bundle of a version on the stick)."""
    bundle = program("bundle")
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
    make("0.2.0", program("bundle").signing_key(tmp_path / "stranger.key"))
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
    launch.write_text(f'#!/bin/sh\ncd {ROOT}\nexec {sys.executable} -m node "$@"\n')
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


def test_a_stick_that_says_so_orders_the_island_destroyed_and_nothing_else_is_done(tmp_path):
    stick = tmp_path / "stick"
    stick.mkdir()
    (stick / "archipel-wipe.txt").touch()
    environment = archipel_in(tmp_path / "one", "Nord")
    plug(stick, tmp_path / "one", environment)
    assert (tmp_path / "one/data/WIPE").exists() and not (stick / "archipel").exists()


# units, layers, accounts


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_closed_but_for_what_it_needs(service):
    told = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", f"--root={OVERLAY}", service],
                          capture_output=True, text=True, check=True).stdout
    assert float(re.search(r"exposure level for \S+: ([\d.]+)", told)[1]) <= MAX_EXPOSURE, told


def test_units_hold_no_key_that_systemd_does_not_know():
    told = subprocess.run(["systemd-analyze", "verify", "--man=no", *SERVICES, "run-stick.mount", "archipel-wipe.path"],
                          capture_output=True, text=True, env={**os.environ, "SYSTEMD_UNIT_PATH": f"{UNITS}:"}).stderr
    ours = [line for line in told.splitlines() if str(UNITS) in line]
    assert not [line for line in ours if re.search("Unknown|Invalid|Failed|ignoring", line)], told


def test_every_unit_that_is_wanted_exists_and_no_debian_way_to_start_the_same_is_left():
    enabled = [path for path in (OVERLAY / "etc/systemd/system").rglob("*.wants/*") if path.is_symlink()]
    ours = [path for path in enabled if path.name.startswith("archipel")]
    assert ours and all((UNITS / path.name).exists() for path in ours)
    assert {"nginx.service", "mosquitto.service"} <= {
        path.name for path in (OVERLAY / "etc/systemd/system").iterdir() if path.is_symlink()}


def test_a_service_writes_to_no_file_in_a_folder_that_is_made_after_its_outputs_are_opened():
    for path in UNITS.glob("archipel-*.service"):
        text = path.read_text()
        made = re.findall(r"(?m)^RuntimeDirectory=(\S+)", text)
        written = re.findall(r"(?m)^Standard(?:Error|Output)=file:/run/([^/]+)/", text)
        assert not set(made) & set(written), path


def test_the_links_of_a_stick_and_of_a_radio_outlast_a_change_of_theirs():
    text = (OVERLAY / "usr/lib/udev/rules.d/70-archipel.rules").read_text()
    rules = [line for line in text.splitlines() if "SYMLINK" in line]
    assert rules and all(line.startswith('ACTION!="remove", ') for line in rules)


def test_the_drivers_of_radios_are_there_before_the_service_that_may_open_them_starts():
    drivers = {"ttyUSB": "usbserial", "ttyACM": "cdc_acm"}
    opened = re.findall(r"(?m)^DeviceAllow=char-(\S+)", (UNITS / "archipel-island.service.d/20-opens.conf").read_text())
    loaded = (OVERLAY / "etc/modules-load.d/archipel.conf").read_text().splitlines()
    assert opened and {drivers[name] for name in opened} <= set(loaded)


def test_dnsmasq_is_told_nothing_for_which_it_would_want_a_capability():
    lines = (OVERLAY / "usr/share/archipel/dnsmasq.conf").read_text().splitlines()
    assert "bind-dynamic" not in lines and {"no-ping", "dhcp-broadcast"} <= set(lines)


def test_scripts_are_shell_that_parses_and_can_be_run():
    scripts = [path for path in (BUILD.rglob("*")) if path.is_file() and path.read_bytes().startswith(b"#!/bin/sh")]
    assert len(scripts) >= 6
    for path in scripts:
        subprocess.run(["sh", "-n", str(path)], check=True)
        assert os.access(path, os.X_OK) or path.parent.name == "initramfs", path


def test_nobody_in_the_image_has_a_password_and_our_users_are_numbered():
    accounted = program("rootfs").accounted

    def given(name, text):
        return accounted(tarfile.TarInfo(f"etc/{name}"), text.encode())[1].decode()

    shadow = given("shadow", "root::19000:0:99999:7:::\nman:$y$hash:19000::::::\n")
    assert all(line.split(":")[1] in ("*", "!*") for line in shadow.splitlines())
    passwd = given("passwd", "root:x:0:0:root:/root:/bin/bash\n")
    assert "archipel:x:700:700::/nonexistent:/usr/sbin/nologin" in passwd
    assert "archipel:x:700:" in given("group", "dialout:x:20:\n").splitlines()


def test_the_same_files_give_the_same_bytes_and_of_two_with_one_name_the_first_stays(tmp_path):
    layers = program("layers")

    def written():
        target = io.BytesIO()
        entries = [layers.file_entry("a", b"ours"), *layers.tree(OVERLAY), layers.file_entry("a", b"theirs")]
        layers.write_tar(target, iter(entries))
        return target.getvalue()

    assert written() == written()
    with tarfile.open(fileobj=io.BytesIO(written())) as archive:
        assert archive.extractfile("a").read() == b"ours"
        infos = archive.getmembers()
    assert {(info.uid, info.gid) for info in infos} == {(0, 0)} and len({info.mtime for info in infos}) == 1
    assert not [info.name for info in infos if "__pycache__" in info.name]


def test_the_root_file_system_has_the_moment_of_the_release_and_none_of_the_build(tmp_path):
    layers, moment = program("layers"), 1_790_000_000
    accounts = [layers.file_entry(name, b"root:x:0:0::/root:/bin/sh\n") for name in program("rootfs").ACCOUNTS]
    with (tmp_path / "base.tar").open("wb") as stream:
        layers.write_tar(stream, iter(accounts))
    (tmp_path / "app/node").mkdir(parents=True)
    given = ({"usr/lib/clock-epoch": b""}, moment)
    program("rootfs").build_root(tmp_path / "base.tar", (tmp_path / "app", "0.1.0"), given, tmp_path / "root")
    told = subprocess.run(["unsquashfs", "-lln", str(tmp_path / "root")], capture_output=True, text=True, check=True,
                          env={**os.environ, "TZ": "UTC"}).stdout
    dates = {line.split()[-1 if " -> " not in line else -3]: line.split()[3] for line in told.splitlines()}
    release = time.strftime("%Y-%m-%d", time.gmtime(moment))
    assert dates["squashfs-root"] == dates["squashfs-root/usr/lib/clock-epoch"] == release
    assert set(dates.values()) == {release, time.strftime("%Y-%m-%d", time.gmtime(program("base").EPOCH_S))}


def test_the_boot_scripts_follow_debians_initramfs_where_the_kernel_looks():
    made = program("bootfs").with_scripts(b"debian's")
    ours = made.removeprefix(b"debian's")
    assert ours.startswith(b"070701") and len(made) % 4 == 0 and b"TRAILER!!!" in ours
    for name in (b"scripts/local-premount/ORDER\0", b"scripts/local-bottom/archipel\0"):
        assert name in ours


def test_the_disk_named_at_the_start_is_the_one_in_the_table_and_in_fstab():
    bootfs, fstab = program("bootfs"), (OVERLAY / "etc/fstab").read_text()
    assert f"root=PARTUUID={bootfs.DISK_ID}-02" in bootfs.CMDLINE and len(bootfs.CMDLINE) < 1024
    assert f"PARTUUID={bootfs.DISK_ID}-01 /boot/firmware" in fstab and f"PARTUUID={bootfs.DISK_ID}-03 /data" in fstab


def test_no_secret_and_no_name_of_a_host_is_in_what_goes_on_the_card():
    texts = {path: path.read_text() for path in (*OVERLAY.rglob("*"), *(BUILD / "boot").iterdir())
             if path.is_file() and not path.is_symlink() and "__pycache__" not in path.parts}
    assert (OVERLAY / "etc/resolv.conf").is_symlink()  # a file would be the build host's
    for path, text in texts.items():
        assert not re.search(r"PRIVATE KEY|BEGIN OPENSSH|\$y\$|\$6\$", text), path
        assert str(ROOT) not in text and not re.search(r"/home/\w+/", text), path
