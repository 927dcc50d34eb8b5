"""Makes the certificate with which this box answers over https, at its first start: `certificate.py FOLDER`.

No authority can know `safe.archipel.lan`, so the box signs for itself: browsers warn, and a keeper compares the fingerprint
with that on the sheet. It must therefore stay the same one for as long as the box lives: it is made when there is none, or
when key and certificate do not belong together, and never because of a clock. It is valid from 1970 on (a phone whose clock
starts there reads it) until the last moment that every reader of certificates knows how to read (UTCTime, RFC 5280,
4.1.2.5.1). To begin before July 2019 also keeps it out of Apple's rule that a certificate made since lives for 825 days at
most (its document HT210176). P-256 is what the oldest phones with TLS 1.2 know, and the quickest on a Pi.

FOLDER/key.pem is for nginx alone and in no backup: another box is another certificate. FOLDER/certificate.pem is public.
"""

import datetime
import ipaddress
import os
import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NAMES = ("safe.archipel.lan",)  # the first is what people type; dnsmasq.conf gives it the first of these addresses
ADDRESSES = ("198.51.100.2", "198.51.100.129", "169.254.77.77")  # 10-lo.network; the box's own on cables (box.py)
SINCE = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
UNTIL = datetime.datetime(2049, 12, 31, 23, 59, 59, tzinfo=datetime.UTC)
PRIVATE, PUBLIC = 0o600, 0o644


def main(folder: Path) -> None:
    """Leave a key and its certificate in `folder`."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    if not belong_together(key, certificate):
        private = ec.generate_private_key(ec.SECP256R1())
        certificate.unlink(missing_ok=True)  # so that a power cut leaves no pair that is none
        write(key, PRIVATE, private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                                  serialization.NoEncryption()))
        write(certificate, PUBLIC, signed(private).public_bytes(serialization.Encoding.PEM))


def belong_together(key: Path, certificate: Path) -> bool:
    """Whether both can be read, belong together, and name what this version answers to."""
    try:
        private = serialization.load_pem_private_key(key.read_bytes(), None)
        public = x509.load_pem_x509_certificate(certificate.read_bytes())
        named = public.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, TypeError, x509.ExtensionNotFound):
        return False
    return private.public_key() == public.public_key() and named == alternatives()


def alternatives() -> x509.SubjectAlternativeName:
    """The names and addresses of the certificate."""
    return x509.SubjectAlternativeName([*map(x509.DNSName, NAMES), *(x509.IPAddress(ipaddress.ip_address(address))
                                                                     for address in ADDRESSES)])


def signed(private: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    """A certificate of this key, signed by itself."""
    serial = x509.random_serial_number()
    # a browser that knows several boxes keeps them apart by this name
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Archipel {serial:x}"[:17])])
    never = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign",
             "encipher_only", "decipher_only")
    usage = x509.KeyUsage(digital_signature=True, **dict.fromkeys(never, False))
    return (x509.CertificateBuilder(name, name, private.public_key(), serial, SINCE, UNTIL)
            .add_extension(alternatives(), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .sign(private, hashes.SHA256()))


def write(path: Path, mode: int, content: bytes) -> None:
    """Write a whole file: beside, synced, then renamed."""
    beside = path.with_suffix(".new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, mode)  # whatever the umask
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    beside.rename(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
