"""The box's own certificate as its pages tell of it. nginx has its key; the island reads the public part only.

On the SD image `certificate.py` makes it, and says where in `ARCHIPEL_CERTIFICATE`. Elsewhere there is none.
"""

import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from web.portal_settings import SafeAddress

VARIABLE = "ARCHIPEL_CERTIFICATE"


def safe_address() -> SafeAddress | None:
    """Where this portal answers over https; None if it does not. Looked at each time: it may be made later."""
    try:
        certificate = x509.load_pem_x509_certificate(Path(os.environ[VARIABLE]).read_bytes())
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (KeyError, OSError, ValueError, x509.ExtensionNotFound):
        return None
    addresses = [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    return SafeAddress((*names.get_values_for_type(x509.DNSName), *addresses), certificate.fingerprint(hashes.SHA256()))
