"""PinSketch over GF(2^32): what two sets of 32-bit elements differ by, from 4 B per difference (Dodis and others, 2004).

A sketch of capacity c is the sums of the 1st, 3rd, ... (2c-1)th powers of the elements, in GF(2)[x]/(x^32+x^7+x^3+x^2+1).
The sketch of the symmetric difference of two sets is the XOR of their sketches. Polynomials and lists of field elements
are *lanes*: one big integer, 32 bits per element, lowest degree in the lowest bits, so that one Python operation works
on all of them.
"""

from collections.abc import Iterable
from functools import lru_cache

ELEMENT_BYTES = 4
LANE = 32
_MODULUS = 0x8D  # x^32 = x^7 + x^3 + x^2 + 1
_FULL = 0xFFFFFFFF


def sketch(elements: Iterable[int], capacity: int) -> int:
    """The sketch of distinct non-zero 32-bit elements, as `capacity` lanes."""
    lanes = _pack(list(elements))
    count = _degree(lanes) + 1
    if not lanes or not capacity:
        return 0
    square, power, sums = multiply(lanes, lanes, count), lanes, 0
    for place in range(capacity):
        sums |= _fold(power, count) << LANE * place
        if place + 1 < capacity:
            power = multiply(power, square, count)
    return sums


def decode(difference: int, capacity: int) -> list[int] | None:
    """The elements whose sketch is `difference`, at most `capacity`; None if there are more.

    When exactly `capacity` come out, a set too large may have passed for one by chance (1 in capacity!): check the count.
    """
    locator, degree = _locator(_all_powers(difference, capacity), 2 * capacity)
    if degree > capacity or _lane(locator, degree) == 0:
        return None
    # the locator has the inverses as roots; read backwards it has the elements
    backwards = _pack([_lane(locator, degree - place) for place in range(degree + 1)])
    return _few_roots(backwards) if degree <= 2 else _Roots(backwards).all()


def multiply(left: int, right: int, count: int) -> int:
    """The products, lane by lane, of two integers of `count` lanes."""
    ones, product = _ones(count), 0
    tops = ones << LANE - 1
    for bit in range(LANE - 1, -1, -1):
        high = product & tops
        product = (product ^ high) << 1 ^ (high >> LANE - 1) * _MODULUS ^ left & (right >> bit & ones) * _FULL
    return product


def _scale(lanes: int, factor: int) -> int:
    """Every lane times one field element."""
    tops, product = _ones(_degree(lanes) + 1) << LANE - 1, 0
    for bit in range(factor.bit_length() - 1, -1, -1):
        high = product & tops
        product = (product ^ high) << 1 ^ (high >> LANE - 1) * _MODULUS
        if factor >> bit & 1:
            product ^= lanes
    return product


@lru_cache(maxsize=1024)
def _ones(count: int) -> int:
    """1 in each of `count` lanes."""
    return int.from_bytes(b"\1\0\0\0" * count, "little")


def _pack(elements: list[int]) -> int:
    return int.from_bytes(b"".join(element.to_bytes(4, "little") for element in elements), "little")


def _lane(lanes: int, place: int) -> int:
    return lanes >> LANE * place & _FULL


def _degree(poly: int) -> int:
    return (poly.bit_length() - 1) // LANE  # -1 for the zero polynomial


def _fold(lanes: int, count: int) -> int:
    """The sum of all lanes."""
    while count > 1:
        half = count // 2
        lanes, count = lanes >> LANE * half ^ lanes & (1 << LANE * half) - 1, count - half
    return lanes


def _inverse(element: int) -> int:
    """1/element, by Euclid over GF(2)[x]."""
    old, new, old_factor, factor = 1 << LANE | _MODULUS, element, 0, 1
    while new != 1:
        shift = old.bit_length() - new.bit_length()
        old, old_factor = old ^ new << shift, old_factor ^ factor << shift
        if old.bit_length() < new.bit_length():
            old, new, old_factor, factor = new, old, factor, old_factor
    return factor


def _all_powers(sums: int, capacity: int) -> int:
    """The sums of the 1st, 2nd, 3rd, ... powers: in a field of characteristic 2 the 2nth is the square of the nth."""
    powers = [0] * (2 * capacity + 1)
    for place in range(capacity):
        powers[2 * place + 1] = _lane(sums, place)
    for place in range(1, capacity + 1):
        powers[2 * place] = multiply(powers[place], powers[place], 1)
    return _pack(powers[1:])


def _locator(powers: int, count: int) -> tuple[int, int]:
    """The shortest recurrence of `powers` (Berlekamp and Massey) and its length.

    Every second step changes nothing, since even powers are squares (Berlekamp, Algebraic Coding Theory, 7.6).
    """
    current, previous, length, gap, scale = 1, 1, 0, 1, 1
    for place in range(0, count, 2):
        reverse = _pack([_lane(powers, place - back) if back <= place else 0 for back in range(length + 1)])
        wrong = _fold(multiply(current, reverse, length + 1), length + 1)
        if wrong:
            update = _scale(previous, multiply(wrong, _inverse(scale), 1)) << LANE * gap
            if 2 * length <= place:
                previous, length, scale, gap = current, place + 1 - length, wrong, 0
            current ^= update
        gap += 2
    return current, length


def _monic(poly: int) -> int:
    top = _lane(poly, _degree(poly))
    return poly if top == 1 else _scale(poly, _inverse(top))


def _divide(poly: int, divisor: int) -> tuple[int, int]:
    """Quotient and remainder by a monic divisor."""
    degree, quotient = _degree(divisor), 0
    times = _Multiples(divisor).times if _degree(poly) > degree + 4 else lambda factor: _scale(divisor, factor)
    while (place := _degree(poly)) >= degree:
        top = _lane(poly, place)
        poly ^= times(top) << LANE * (place - degree)
        quotient |= top << LANE * (place - degree)
    return quotient, poly


def _gcd(left: int, right: int) -> int:
    while right:
        right = _monic(right)
        left, right = right, _divide(left, right)[1]
    return left


class _Multiples:
    """Many multiples of one polynomial: eight look-ups each."""

    def __init__(self, lanes: int):
        count = _degree(lanes) + 1
        tops, self._rows = _ones(count) << LANE - 1, []
        for _ in range(8):
            row = [0]
            for _ in range(4):
                row += [lanes ^ other for other in row]
                high = lanes & tops
                lanes = (lanes ^ high) << 1 ^ (high >> LANE - 1) * _MODULUS
            self._rows.append(row)

    def times(self, factor: int) -> int:
        """Every lane times `factor`."""
        product = 0
        for row in self._rows:
            product ^= row[factor & 15]
            factor >>= 4
        return product


def _few_roots(poly: int) -> list[int] | None:
    """The roots of a monic polynomial of degree 0, 1 or 2; None unless there are as many."""
    low, middle = poly & _FULL, poly >> LANE & _FULL
    if poly >> LANE == 0:
        return []
    if poly >> 2 * LANE == 0:
        return [low]
    if middle == 0:
        return None
    scaled = _inverse(multiply(middle, middle, 1))
    half = _half(multiply(low, scaled, 1))
    return None if half is None else [multiply(middle, half, 1), multiply(middle, half ^ 1, 1)]


def _half(value: int) -> int | None:
    """A solution y of y^2 + y = value, if there is one."""
    solution = 0
    for top, image, origin in _half_rows():
        if value >> top & 1:
            value, solution = value ^ image, solution ^ origin
    return solution if value == 0 else None


@lru_cache(maxsize=1)
def _half_rows() -> list[tuple[int, int, int]]:
    """The map y -> y^2 + y in echelon form: (highest bit, image, y)."""
    rows: list[tuple[int, int, int]] = []
    for bit in range(LANE):
        origin = 1 << bit
        image = multiply(origin, origin, 1) ^ origin
        for top, other, other_origin in rows:
            if image >> top & 1:
                image, origin = image ^ other, origin ^ other_origin
        if image:
            rows.append((image.bit_length() - 1, image, origin))
            rows.sort(reverse=True)
    return rows


@lru_cache(maxsize=LANE)
def _conjugates(bit: int) -> list[int]:
    """x^bit, then its square, the square of that, ... : 32 of them."""
    conjugates = [1 << bit]
    while len(conjugates) < LANE:
        conjugates.append(multiply(conjugates[-1], conjugates[-1], 1))
    return conjugates


class _Roots:
    """The roots of a monic polynomial by Berlekamp's trace algorithm: Tr(b x) is 0 for about half of them."""

    def __init__(self, poly: int):
        self.poly, self.degree = poly, _degree(poly)
        self._traces: list[int] = []
        self._frobenius = self._powers()

    def all(self) -> list[int] | None:
        """Every root; None unless the polynomial is a product of distinct linear factors."""
        return self._split(self.poly, 0) if self._frobenius else None

    def _powers(self) -> list[_Multiples]:
        """x^(2^i) modulo the polynomial for i = 0..31; empty unless x^(2^32) = x."""
        half = (self.degree + 1) // 2
        folds = [_Multiples(_divide(1 << LANE * 2 * place, self.poly)[1]) for place in range(half, self.degree)]
        start = power = _divide(1 << LANE, self.poly)[1]
        powers = []
        for _ in range(LANE):
            powers.append(_Multiples(power))
            squares, power = multiply(power, power, self.degree), 0
            for place in range(half):
                power |= _lane(squares, place) << LANE * 2 * place
            for place, fold in enumerate(folds, half):
                power ^= fold.times(_lane(squares, place))
        return powers if power == start else []

    def _trace(self, bit: int) -> int:
        """Tr(x^bit X) as a polynomial in X."""
        while len(self._traces) <= bit:
            total = 0
            for power, factor in zip(self._frobenius, _conjugates(len(self._traces)), strict=True):
                total ^= power.times(factor)
            self._traces.append(total)
        return self._traces[bit]

    def _split(self, poly: int, bit: int) -> list[int] | None:
        if _degree(poly) <= 2:
            return _few_roots(poly)
        for place in range(bit, LANE):
            factor = _gcd(poly, _divide(self._trace(place), poly)[1])
            if 0 < _degree(factor) < _degree(poly):
                left, right = self._split(factor, place + 1), self._split(_divide(poly, factor)[0], place + 1)
                return None if left is None or right is None else left + right
        return None  # a double root
