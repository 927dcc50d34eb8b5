"""The box's own certificate: made once, kept for as long as the box lives, and what the island tells of it."""

import datetime
import os
import stat
import subprocess
import sys

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from archipel_image.sources import PROGRAMS, program
from node.daemon.certificate import VARIABLE, safe_address

certificate = program("certificate")
pytestmark = pytest.mark.process


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def made(folder):
    certificate.main(folder)
    return x509.load_pem_x509_certificate((folder / "certificate.pem").read_bytes())


def test_it_is_made_once_and_stays_the_same(tmp_path):
    first = made(tmp_path)
    assert made(tmp_path) == first
    assert {path.name for path in tmp_path.iterdir()} == {"key.pem", "certificate.pem"}


def test_only_nginx_reads_the_key_whatever_the_umask_and_everybody_the_certificate(tmp_path):
    before = os.umask(0o077)
    try:
        made(tmp_path)
    finally:
        os.umask(before)
    assert (mode(tmp_path / "key.pem"), mode(tmp_path / "certificate.pem")) == (0o600, 0o644)


def test_no_clock_of_a_phone_or_of_the_box_makes_it_invalid_before_2050(tmp_path):
    one = made(tmp_path)
    assert one.not_valid_before_utc == datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    assert one.not_valid_after_utc == datetime.datetime(2049, 12, 31, 23, 59, 59, tzinfo=datetime.UTC)
    der = one.public_bytes(serialization.Encoding.DER)
    assert b"\x17\x0d700101000000Z\x17\x0d491231235959Z" in der, "both as UTCTime, which everything reads"


@pytest.mark.parametrize("harm", ["no key", "no certificate", "noise", "cut", "of two boxes", "another name"])
def test_what_does_not_belong_together_is_made_anew(tmp_path, harm):
    first = made(tmp_path)
    (tmp_path / "other").mkdir()
    if harm == "another name":
        key = serialization.load_pem_private_key((tmp_path / "key.pem").read_bytes(), None)
        names, certificate.NAMES = certificate.NAMES, ("elsewhere.lan",)
        (tmp_path / "certificate.pem").write_bytes(certificate.signed(key).public_bytes(serialization.Encoding.PEM))
        certificate.NAMES = names
    elif harm.startswith("no "):
        (tmp_path / f"{harm[3:]}.pem").unlink()
    elif harm == "of two boxes":
        made(tmp_path / "other")
        (tmp_path / "other/key.pem").replace(tmp_path / "key.pem")
    else:
        whole = (tmp_path / "key.pem").read_bytes()
        (tmp_path / "key.pem").write_bytes(b"\0\xff" * 90 if harm == "noise" else whole[:90])
    again = made(tmp_path)
    assert again != first and certificate.belong_together(tmp_path / "key.pem", tmp_path / "certificate.pem")


def test_two_boxes_differ_in_all_by_which_a_browser_knows_them(tmp_path):
    (tmp_path / "other").mkdir()
    one, other = made(tmp_path), made(tmp_path / "other")
    assert one.serial_number != other.serial_number and one.issuer != other.issuer


def test_the_island_tells_of_it_what_openssl_says(tmp_path, monkeypatch):
    made(tmp_path)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "certificate.pem"))
    told = safe_address()
    said = subprocess.run(["openssl", "x509", "-in", tmp_path / "certificate.pem", "-noout", "-fingerprint", "-sha256"],
                          capture_output=True, text=True, check=True).stdout
    assert told.fingerprint == said.partition("=")[2].strip().replace(":", " ")
    assert told.fingerprint.startswith(told.beginning + " ") and len(told.beginning.split()) == 8
    assert told.url == "https://safe.archipel.lan/"
    assert told.names == ("safe.archipel.lan", "198.51.100.2", "198.51.100.129", "169.254.77.77")


EMPTY = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize("content", [None, b"", b"noise", EMPTY])
def test_without_a_certificate_that_can_be_read_there_is_no_safe_address(tmp_path, monkeypatch, content):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert safe_address() is None
    path = tmp_path / "certificate.pem"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv(VARIABLE, str(path))
    assert safe_address() is None


def test_the_program_is_run_as_it_is_shipped(tmp_path):
    subprocess.run([sys.executable, PROGRAMS / "certificate.py", tmp_path], check=True)
    assert certificate.belong_together(tmp_path / "key.pem", tmp_path / "certificate.pem")
