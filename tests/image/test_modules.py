"""Which of the kernel's modules an image holds: `image-build/base/keep-modules` and its list, on made-up trees."""

import subprocess

import pytest

from archipel_image.sources import SOURCES

BRCMFMAC = "drivers/net/wireless/broadcom/brcm80211/brcmfmac"
KEEP, LIST = SOURCES / "base/keep-modules", SOURCES / "base/modules.txt"
# what a box cannot do without; a module's name, and its place in Linux 6.12
NEEDED = {
    "the card of every board": ("drivers/mmc/host/bcm2835", "drivers/mmc/host/sdhci-iproc", "drivers/regulator/fixed",
                                "drivers/regulator/gpio-regulator"),
    "USB of every board": ("drivers/usb/dwc2/dwc2", "drivers/usb/host/xhci-pci", "drivers/reset/reset-raspberrypi",
                           "drivers/usb/phy/phy-generic"),
    "Wi-Fi and cable of every board": (
        f"{BRCMFMAC}/brcmfmac",
        f"{BRCMFMAC}/cyw/brcmfmac-cyw",
        f"{BRCMFMAC}/wcc/brcmfmac-wcc", "net/wireless/cfg80211",
        "drivers/net/ethernet/broadcom/genet/genet", "drivers/net/phy/broadcom", "drivers/net/mdio/mdio-bcm-unimac",
        "drivers/net/usb/smsc95xx", "drivers/net/usb/lan78xx", "drivers/net/phy/smsc", "drivers/net/phy/microchip"),
    "a board that hangs, is hot, has no chance": (
        "drivers/watchdog/bcm2835_wdt", "drivers/thermal/broadcom/bcm2711_thermal",
        "drivers/thermal/broadcom/bcm2835_thermal",
        "drivers/cpufreq/raspberrypi-cpufreq", "drivers/cpufreq/cpufreq-dt", "drivers/char/hw_random/iproc-rng200"),
    "clocks with a battery": ("drivers/rtc/rtc-ds1307", "drivers/rtc/rtc-pcf8523", "drivers/i2c/busses/i2c-bcm2835"),
    "radios on USB": ("drivers/usb/class/cdc-acm", "drivers/usb/serial/cp210x", "drivers/usb/serial/ch341",
                      "drivers/usb/serial/ftdi_sio", "drivers/usb/serial/pl2303", "drivers/usb/serial/usbserial"),
    "network on USB": ("drivers/net/usb/cdc_ether", "drivers/net/usb/rndis_host", "drivers/net/usb/r8152",
                       "drivers/net/usb/asix", "drivers/net/usb/ipheth", "drivers/net/usb/qmi_wwan"),
    "sticks and readers": ("drivers/usb/storage/usb-storage", "drivers/usb/storage/uas", "drivers/scsi/sd_mod",
                           "fs/fat/vfat", "fs/exfat/exfat", "fs/ntfs3/ntfs3", "fs/ext4/ext4", "fs/isofs/isofs",
                           "fs/udf/udf",
                           "fs/nls/nls_utf8", "fs/nls/nls_cp437", "fs/nls/nls_ascii"),
    "the root": ("fs/squashfs/squashfs", "fs/overlayfs/overlay"),
    "a loudspeaker": ("sound/usb/snd-usb-audio", "sound/core/snd-pcm"),
    "a keyboard": ("drivers/hid/usbhid/usbhid", "drivers/hid/hid-generic"),
    "the filter of visitors": ("net/netfilter/nf_tables", "net/netfilter/nft_ct", "net/netfilter/nft_limit",
                               "net/netfilter/nft_connlimit", "net/netfilter/nft_reject_inet",
                               "net/ipv4/netfilter/nf_reject_ipv4", "net/ipv6/netfilter/nf_reject_ipv6"),
    "what Wi-Fi asks for by name": ("crypto/ccm", "crypto/cmac", "arch/arm64/crypto/aes-ce-ccm"),
    "QEMU": ("drivers/block/virtio_blk", "drivers/net/virtio_net", "drivers/virtio/virtio_mmio",
             "drivers/watchdog/i6300esb", "drivers/net/wireless/virtual/mac80211_hwsim"),
}
FOREIGN = ("drivers/gpu/drm/msm/msm", "drivers/net/ethernet/intel/ice/ice", "drivers/media/usb/uvc/uvcvideo",
           "fs/btrfs/btrfs", "sound/pci/hda/snd-hda-intel", "drivers/scsi/lpfc/lpfc", "drivers/usb/serialx")


def kept(tmp_path, modules, builtin=()):
    """Which of `modules` (path -> what it needs) stay, after `keep-modules`; depmod is not that of an image here."""
    folder = tmp_path / "root/usr/lib/modules/6.12.1-arm64"
    everything = {**{line.replace("*", "some"): () for line in LIST.read_text().split("\n")
                     if line and line[0] != "#" and line not in builtin}, **modules}
    for name in everything:
        (folder / f"kernel/{name}.ko.xz").parent.mkdir(parents=True, exist_ok=True)
        (folder / f"kernel/{name}.ko.xz").touch()
    (folder / "modules.dep").write_text("".join(
        f"kernel/{name}.ko.xz:{''.join(f' kernel/{each}.ko.xz' for each in needs)}\n"
        for name, needs in everything.items()))
    (folder / "modules.builtin").write_text("".join(f"kernel/{name}.ko\n" for name in builtin))
    (tmp_path / "chroot").write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/told\n')
    (tmp_path / "chroot").chmod(0o755)
    subprocess.run([str(KEEP), str(tmp_path / "root")], check=True, env={"PATH": f"{tmp_path}:/usr/bin:/bin"})
    assert (tmp_path / "told").read_text().split()[1:] == ["depmod", "6.12.1-arm64"]
    assert not (folder / "kept").exists()
    left = {str(path.relative_to(folder / "kernel")).removesuffix(".ko.xz") for path in folder.rglob("*.ko.xz")}
    return left & set(modules)


@pytest.mark.process
def test_what_a_box_cannot_do_without_stays_and_what_only_other_computers_have_goes(tmp_path):
    needed = {name: () for names in NEEDED.values() for name in names}
    assert kept(tmp_path, {**needed, **dict.fromkeys(FOREIGN, ())}) == set(needed)


@pytest.mark.process
def test_what_a_module_needs_stays_wherever_it_lies(tmp_path):
    media, bare = "drivers/media/mc/mc", "lib/xyz/needed-by-what-is-needed"
    wanted = {"sound/usb/snd-usb-audio": (media, bare), media: (bare,), bare: ()}
    assert kept(tmp_path, {**wanted, "drivers/media/mc/other": ()}) == set(wanted)


@pytest.mark.process
def test_a_wanted_module_that_is_built_in_is_there_and_one_that_is_nowhere_ends_the_build(tmp_path):
    wanted = "drivers/rtc/rtc-ds1307"
    assert kept(tmp_path, {"fs/fat/vfat": ()}, builtin=[wanted]) == {"fs/fat/vfat"}
    (tmp_path / "root/usr/lib/modules/6.12.1-arm64/modules.builtin").write_text("")
    told = subprocess.run([str(KEEP), str(tmp_path / "root")], capture_output=True, text=True)
    assert told.returncode and f"no module fits {wanted}\n" in told.stderr
