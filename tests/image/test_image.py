"""The SD image's own code, without building it: layers, units, accounts. `make image-test` does the rest."""

import io
import os
import re
import subprocess
import tarfile
import time

import pytest

from archipel_image import base, bootfs, build, card, emulation, layers, rootfs
from archipel_image.sources import OVERLAY, PROJECT, SOURCES, program
from tests.image.imageparts import MAX_EXPOSURE, SERVICES, UNITS

# the building host, the kernel


def names(version):
    return ["boot/config-x", f"boot/vmlinuz-{version}", "usr/bin/python3"]


@pytest.mark.parametrize("version", ["6.12.58+deb13-arm64", "6.12.118+deb13-arm64", "6.13.0", "7.0.1-arm64"])
def test_a_kernel_with_which_no_phone_can_crash_the_wifi_is_taken(version):
    bootfs.check_kernel(names(version))
    with pytest.raises(bootfs.KernelTooOld):  # they are all looked at
        bootfs.check_kernel([*names(version), *names("6.1.158-1")])


@pytest.mark.parametrize("version", ["6.12.57+deb13-arm64", "6.12.9", "6.1.158-1", "5.10.0-30-arm64", "6.12", "", "latest"])
def test_a_kernel_with_which_a_phone_can_crash_the_wifi_is_refused(version):
    with pytest.raises(bootfs.KernelTooOld, match=re.escape(version) or None):
        bootfs.check_kernel([*names("6.12.118"), *names(version)])


@pytest.mark.process
def test_the_line_for_a_host_that_runs_no_arm64_programs_does_what_root_would_have_done(tmp_path):
    misc, rule = tmp_path / "misc", tmp_path / "rule"
    misc.mkdir()
    rule.write_text(":qemu-aarch64:M::x:y:/usr/bin/qemu:OPF\n")
    (tmp_path / "sudo").write_text('#!/bin/sh\nexec "$@"\n')
    (tmp_path / "mount").write_text(f"#!/bin/sh\n: > {misc}/register\necho $* > {tmp_path}/mounted\n")
    for name in ("sudo", "mount"):
        (tmp_path / name).chmod(0o755)
    for line in (emulation.ONE_LINE, f"sh -c '{emulation.TEACH}'"):
        told = line.replace(emulation.MISC, str(misc)).replace(emulation.RULE, str(rule))
        subprocess.run(["sh", "-c", told], check=True, env={"PATH": f"{tmp_path}:{os.environ['PATH']}"})
        assert (tmp_path / "mounted").read_text() == f"-t binfmt_misc binfmt_misc {misc}\n"
        assert (misc / "register").read_text() == rule.read_text()
        (misc / "register").write_text("")  # mounted already


@pytest.mark.parametrize("published", [None, "https://example.org/archipel/"])
def test_raspberry_pi_imager_is_led_to_the_image_by_a_whole_address(tmp_path, monkeypatch, published):
    image, squeezed = tmp_path / "archipel-0.1.0-arm64.img", tmp_path / "archipel-0.1.0-arm64.img.xz"
    image.write_bytes(bytes(5000))
    squeezed.write_bytes(b"small")
    monkeypatch.delenv("IMAGE_URL", raising=False)
    if published:
        monkeypatch.setenv("IMAGE_URL", published)
    manifest = card.imager_manifest(image, squeezed, "0.1.0", "2026-11-29")
    entry, = manifest["os_list"]
    assert entry["url"] == (f"https://example.org/archipel/{squeezed.name}" if published else f"file://{squeezed}")
    assert {"name", "description", "icon", "url", "extract_size", "extract_sha256", "image_download_size", "release_date",
            "devices"} <= set(entry)  # what its schema wants
    assert (entry["extract_size"], entry["image_download_size"]) == (5000, 5)
    assert {tag for model in manifest["imager"]["devices"] for tag in model["tags"]} == set(entry["devices"])


@pytest.mark.parametrize("published", [None, "https://example.org/archipel/"])
def test_what_is_published_leads_to_no_file_of_the_machine_that_made_it(tmp_path, monkeypatch, capsys, published):
    held = [tmp_path / name for name in ("archipel-0.1.0-arm64.img", "root.squashfs", "imager.json", "CHANGES.md")]
    for path in held:
        path.touch()
    monkeypatch.delenv("IMAGE_URL", raising=False)
    if published:
        monkeypatch.setenv("IMAGE_URL", published)
    build.leave_out(tmp_path, held[0])
    assert {path.name for path in tmp_path.iterdir()} == {"CHANGES.md", *(["imager.json"] if published else [])}
    assert ("IMAGE_URL" in capsys.readouterr().out) == (not published)


# units, layers, accounts


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_closed_but_for_what_it_needs(service):
    told = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", f"--root={OVERLAY}", service],
                          capture_output=True, text=True, check=True).stdout
    assert float(re.search(r"exposure level for \S+: ([\d.]+)", told)[1]) <= MAX_EXPOSURE, told


def test_units_hold_no_key_that_systemd_does_not_know():
    told = subprocess.run(["systemd-analyze", "verify", "--man=no", *SERVICES, "run-stick.mount", "archipel-wipe.path",
                           "archipel-radio.path", "archipel-orders.path", "archipel-image.socket",
                           "archipel-loudspeaker.path"],
                          capture_output=True, text=True, env={**os.environ, "SYSTEMD_UNIT_PATH": f"{UNITS}:"}).stderr
    ours = [line for line in told.splitlines() if str(UNITS) in line]
    assert not [line for line in ours if re.search("Unknown|Invalid|Failed|ignoring", line)], told


def test_no_step_of_a_slow_start_is_given_less_time_than_systemd_would():
    """A minute was too short for what tells a keeper what is wrong, on a machine with much else to do."""
    usual = (OVERLAY / "etc/systemd/system.conf.d/archipel.conf").read_text()
    least = int(re.search(r"DefaultTimeoutStartSec=(\d+)min", usual)[1])
    units = "".join(path.read_text() for path in UNITS.glob("archipel-*.service"))
    given = re.findall(r"(?m)^TimeoutStartSec=(.*)$", units)
    assert len(given) > 3
    assert all(time == "infinity" or int(time.removesuffix("min")) >= least for time in given), given


def test_every_unit_that_is_wanted_exists_and_no_debian_way_to_start_the_same_is_left():
    enabled = [path for path in (OVERLAY / "etc/systemd/system").rglob("*.wants/*") if path.is_symlink()]
    ours = [path for path in enabled if path.name.startswith("archipel")]
    assert ours and all((UNITS / path.name).exists() for path in ours)
    assert {"nginx.service", "mosquitto.service"} <= {
        path.name for path in (OVERLAY / "etc/systemd/system").iterdir() if path.is_symlink()}


def test_a_service_writes_to_no_file_in_a_folder_that_is_made_after_its_outputs_are_opened():
    for path in [UNITS / service for service in SERVICES]:
        text = path.read_text()
        made = re.findall(r"(?m)^RuntimeDirectory=(\S+)", text)
        written = re.findall(r"(?m)^Standard(?:Error|Output)=file:/run/([^/]+)/", text)
        assert not set(made) & set(written), path


def test_the_links_of_a_stick_and_of_a_radio_outlast_a_change_of_theirs():
    text = (OVERLAY / "usr/lib/udev/rules.d/70-archipel.rules").read_text()
    rules = [line for line in text.splitlines() if "SYMLINK" in line]
    assert rules and all(line.startswith('ACTION!="remove", ') for line in rules)


def test_udev_lets_each_service_at_the_roots_as_far_as_its_unit_does():
    rules = (OVERLAY / "usr/lib/udev/rules.d/70-archipel.rules").read_text().splitlines()
    rule = next(line for line in rules if "MODE=" in line and "a2c41b70-02|a2c41b70-03" in line)
    given = dict(re.findall(r'\b(OWNER|GROUP|MODE)="([^"]*)"', rule))
    owners, members, _ = (int(digit) for digit in given["MODE"][1:])
    looked_at = 0
    for unit in UNITS.glob("archipel-*.service"):
        opens = UNITS / f"{unit.name}.d/20-opens.conf"
        text = unit.read_text() + (opens.read_text() if opens.exists() else "")
        user = re.search(r"(?m)^User=(\S+)", text)
        groups = {user[1], *re.findall(r"(?m)^(?:Supplementary)?Groups?=(\S+)", text)} if user else set()
        for ways in re.findall(r"(?m)^DeviceAllow=/dev/disk/by-partuuid/a2c41b70-0[23] (\S+)", text):
            # whose file it is gets its owner's rights, and no other's
            has = owners if user[1] == given.get("OWNER", "root") else members if given["GROUP"] in groups else 0
            assert has & 4 and (has & 2 or "w" not in ways), unit.name
            looked_at += 1
    assert looked_at >= 10


def test_the_drivers_of_radios_are_there_before_the_service_that_may_open_them_starts():
    drivers = {"ttyUSB": "usbserial", "ttyACM": "cdc_acm"}
    opened = re.findall(r"(?m)^DeviceAllow=char-(\S+)", (UNITS / "archipel-island.service.d/20-opens.conf").read_text())
    loaded = (OVERLAY / "etc/modules-load.d/archipel.conf").read_text().splitlines()
    assert opened and {drivers[name] for name in opened} <= set(loaded)


@pytest.mark.parametrize("name", ["Samira", "--help", "Léa $(reboot) B", "-x"])
def test_the_keeper_s_unit_hands_the_name_on_as_a_name(tmp_path, name):
    text = (OVERLAY / "usr/lib/systemd/system/archipel-keeper.service").read_text()
    line = re.search(r"^ExecStart=/bin/sh -c '(.*)'$", text, re.M)[1].replace("$$", "$")
    (tmp_path / "keeper").write_text(name + "\n")
    (tmp_path / "keeper_password").write_text("quatre mots au hasard\n")
    launch = tmp_path / "launch"
    launch.write_text('#!/bin/sh\nfor one; do echo "$one"; done\ncat\n')
    launch.chmod(0o755)
    line = line.replace("/usr/lib/archipel/launch", str(launch)).replace("/run/archipel-box", str(tmp_path))
    said = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, check=True).stdout
    assert said.splitlines() == ["keeper", "--from-card", "--", name, "quatre mots au hasard"]


def test_dnsmasq_is_told_nothing_for_which_it_would_want_a_capability():
    lines = (OVERLAY / "usr/share/archipel/dnsmasq.conf").read_text().splitlines()
    assert "bind-dynamic" not in lines and {"no-ping", "dhcp-broadcast"} <= set(lines)


def test_scripts_are_shell_that_parses_and_can_be_run():
    scripts = [path for path in (SOURCES.rglob("*")) if path.is_file() and path.read_bytes().startswith(b"#!/bin/sh")]
    assert len(scripts) >= 6
    for path in scripts:
        subprocess.run(["sh", "-n", str(path)], check=True)
        assert os.access(path, os.X_OK) or path.parent.name == "initramfs", path


def test_nobody_in_the_image_has_a_password_and_our_users_are_numbered():
    accounted = rootfs.accounted

    def given(name, text):
        return accounted(tarfile.TarInfo(f"etc/{name}"), text.encode())[1].decode()

    shadow = given("shadow", "root::19000:0:99999:7:::\nman:$y$hash:19000::::::\n")
    assert all(line.split(":")[1] in ("*", "!*") for line in shadow.splitlines())
    passwd = given("passwd", "root:x:0:0:root:/root:/bin/bash\n")
    assert "archipel:x:700:700::/nonexistent:/usr/sbin/nologin" in passwd
    assert "archipel:x:700:" in given("group", "dialout:x:20:\n").splitlines()


def test_the_same_files_give_the_same_bytes_and_of_two_with_one_name_the_first_stays(tmp_path):
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
    moment = 1_790_000_000
    accounts = [layers.file_entry(name, b"root:x:0:0::/root:/bin/sh\n") for name in rootfs.ACCOUNTS]
    with (tmp_path / "base.tar").open("wb") as stream:
        layers.write_tar(stream, iter(accounts))
    (tmp_path / "app/node").mkdir(parents=True)
    given = ({"usr/lib/clock-epoch": b""}, moment)
    rootfs.build_root(tmp_path / "base.tar", (tmp_path / "app", "0.1.0"), given, tmp_path / "root")
    told = subprocess.run(["unsquashfs", "-lln", str(tmp_path / "root")], capture_output=True, text=True, check=True,
                          env={**os.environ, "TZ": "UTC"}).stdout
    dates = {line.split()[-1 if " -> " not in line else -3]: line.split()[3] for line in told.splitlines()}
    release = time.strftime("%Y-%m-%d", time.gmtime(moment))
    assert dates["squashfs-root"] == dates["squashfs-root/usr/lib/clock-epoch"] == release
    assert set(dates.values()) == {release, time.strftime("%Y-%m-%d", time.gmtime(base.EPOCH_S))}


def test_the_boot_scripts_follow_debians_initramfs_where_the_kernel_looks():
    made = bootfs.with_scripts(b"debian's")
    ours = made.removeprefix(b"debian's")
    assert ours.startswith(b"070701") and len(made) % 4 == 0 and b"TRAILER!!!" in ours
    for name in (b"scripts/local-premount/ORDER\0", b"scripts/local-bottom/archipel\0"):
        assert name in ours


def test_the_disk_named_at_the_start_is_the_one_in_the_table_and_in_fstab():
    fstab = (OVERLAY / "etc/fstab").read_text()
    disk, script = program("slots").DISK_ID, (SOURCES / "boot/boot.cmd").read_text()
    assert f"root=PARTUUID={disk}-${{part}}" in script and len(bootfs.CMDLINE) < 1024
    assert f"PARTUUID={disk}-01 /boot/firmware" in fstab and f"PARTUUID={disk}-04 /data" in fstab
    assert (program("erase").FAT.name, program("erase").DATA.name) == (f"{disk}-01", f"{disk}-04")
    assert f"{disk}-" == program("stick_partition").OUR_CARD


def test_no_secret_and_no_name_of_a_host_is_in_what_goes_on_the_card():
    texts = {path: path.read_text() for path in (*OVERLAY.rglob("*"), *(SOURCES / "boot").iterdir())
             if path.is_file() and not path.is_symlink() and "__pycache__" not in path.parts}
    assert (OVERLAY / "etc/resolv.conf").is_symlink()  # a file would be the build host's
    assert len(texts) > 50
    for path, text in texts.items():
        assert not re.search(r"PRIVATE KEY|BEGIN OPENSSH|\$y\$|\$6\$", text), path
        assert str(PROJECT) not in text and not re.search(r"/home/\w+/", text), path
