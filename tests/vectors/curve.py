"""Ed25519 by hand (RFC 8032, 5.1), slowly: for keys and signatures that no library makes, as a hostile one would."""

import hashlib

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
_ROOT = pow(2, (P - 1) // 4, P)  # of -1
_IDENTITY = (0, 1)


def add(one, other):
    (x1, y1), (x2, y2) = one, other
    k = D * x1 * x2 * y1 * y2 % P
    return (x1 * y2 + x2 * y1) * pow(1 + k, P - 2, P) % P, (y1 * y2 + x1 * x2) * pow(1 - k, P - 2, P) % P


def times(number, point):
    total = _IDENTITY
    while number:
        if number & 1:
            total = add(total, point)
        point, number = add(point, point), number >> 1
    return total


def point_at(y):
    """A point with this y, or None."""
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * _ROOT % P
    return None if (x * x - square) % P else (x, y)


BASE = point_at(4 * pow(5, P - 2, P) % P)
BASE = BASE if BASE[0] % 2 == 0 else (P - BASE[0], BASE[1])


def encoded(point):
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def small_order():
    """The eight points of small order, the identity first."""
    y = 2
    while True:
        point = point_at(y)
        one = point and times(L, point)
        if one and times(4, one) != _IDENTITY:
            return [times(number, one) for number in range(8)]
        y += 1


def mixed_key(secret):
    """A public key with a part of small order: `secret` times the base point, and a point of order 8 with it."""
    return encoded(add(times(secret, BASE), small_order()[1]))


def signed_by_mixed(secret, body_of):
    """(public, body, signature, h % 8): a signature right for the part of large order alone. `body_of(n)`: the n-th try."""
    public, nonce = mixed_key(secret), 12_345
    r = encoded(times(nonce, BASE))
    number = 0
    while True:
        message = body_of(number, public)
        h = int.from_bytes(hashlib.sha512(r + public + message).digest(), "little") % L
        yield public, number, r + ((nonce + h * secret) % L).to_bytes(32, "little"), h % 8
        number += 1
