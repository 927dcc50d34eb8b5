"""What makes a value of the text of one setting, or raises ValueError. What is meant is taken, in its right form."""

import base64
import binascii
import difflib
import re
import unicodedata
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from node.board.loud_hours import hours_of, hours_written
from node.daemon.settings_text import DOUBLE, SINGLE, tidy, word
from node.handheld.words import own_words
from node.model.names import fit_name
from node.model.passphrase import passphrase_fault, spellings
from radio.regions import REGIONS

MAX_BROKERS = 4
MAX_SSID_BYTES = 32  # IEEE 802.11
MIN_WIFI_PASSWORD, MAX_WIFI_PASSWORD = 8, 63  # octets that hostapd takes, accents among them
MAX_NUMBER = 30  # characters
YES = {"true", "yes", "oui", "si", "ja", "on", "vrai", "verdadero", "نعم", "1", "wahr", "صحيح", "active", "activado",
       "enabled"}
NO = {"false", "no", "non", "nein", "off", "faux", "falso", "لا", "0", "falsch", "خطا", "desactive", "desactivado",
      "disabled"}
NOTHING = {"none", "no", "non", "off", "aucun", "aucune", "ninguno", "ninguna", "false", "لا"}
LANGUAGE_NAMES = {"francais": "fr", "french": "fr", "frances": "fr", "الفرنسية": "fr", "english": "en", "anglais": "en",
                  "ingles": "en", "الانجليزية": "en", "espanol": "es", "spanish": "es", "espagnol": "es",
                  "castellano": "es", "الاسبانية": "es", "العربية": "ar", "عربي": "ar", "عربية": "ar", "العربيه": "ar",
                  "arabic": "ar", "arabe": "ar"}
COORDINATE = re.compile(r"([-+−]?\d{1,3}(?:[.,]\d{1,20})?)\s*°?\s*([NSEWO]?)\b", re.IGNORECASE)
HOST = re.compile(r"[^\s/@?#:\[\]]{1,253}|\[[0-9a-fA-F:.]{2,45}\]")
Address = tuple[str, int]
# what the words that can be chosen are called elsewhere; `off` by every no
CHOICES = {"ouvert": "open", "abierto": "open", "مفتوح": "open", "modere": "moderated", "moderee": "moderated",
           "moderado": "moderated", "membres": "members", "miembros": "members", "invite": "guest", "invitado": "guest",
           "hote": "host", "anfitrion": "host", "eteint": "off", "apagado": "off", "aus": "off",
           **dict.fromkeys(NO - {"0"}, "off")}
DAYS = {"": 1, **dict.fromkeys(("d", "j", "t", "day", "days", "jour", "jours", "dia", "dias", "tag",
                                "tage", "يوم", "ايام"), 1),
        **dict.fromkeys(("week", "weeks", "semaine", "semaines", "semana", "semanas", "اسبوع"), 7),
        **dict.fromkeys(("month", "months", "mois", "mes", "meses", "شهر", "اشهر"), 30),
        **dict.fromkeys(("year", "years", "an", "ans", "annee", "annees", "ano", "anos", "jahr", "jahre",
                         "سنة", "سنوات"), 365)}
THOUSANDS = re.compile(r"\d\s*(k|m|mil|mill|mio|thousand|million|[km]?b(it|ps|d)|k[a-z]{0,5}|الف)\b", re.IGNORECASE)
OFFSET = re.compile(r"(?:GMT|UTC)\s*([+−–-])\s*0?(\d{1,2})(?::?00)?", re.IGNORECASE)


def text(least: int, most: int) -> Callable[[str], str]:
    """A text of so many characters."""
    def check(value: str) -> str:
        if not least <= len(value) <= most:
            raise ValueError
        return value
    return check


def texts_words(value: str) -> str:
    """Words of the keepers for what can be asked by text."""
    own_words(value)
    return value


def loud_hours(value: str) -> str:
    """Hours of the day, parted by commas, or nothing."""
    return hours_written(hours_of(value)) if word(value) not in NOTHING else ""


def name(most: int) -> Callable[[str], str]:
    """A text that is cut where it is too long, and not empty."""
    def check(value: str) -> str:
        return text(1, most)(unicodedata.normalize("NFC", value)[:most].strip())
    return check


def ssid(value: str) -> str:
    """The name of a Wi-Fi: as many characters as fit into what 802.11 takes, or nothing."""
    composed = unicodedata.normalize("NFC", value)
    return composed.encode()[:MAX_SSID_BYTES].decode(errors="ignore").strip()


def number(least: float, most: float, kind: type = int) -> Callable[[str], Any]:
    """A number as people write it: `6`, `2,5`, `20 000`, `5 %`."""
    def check(value: str) -> Any:
        meant = _number(value, kind)
        if not least <= meant <= most or kind(meant) != meant:
            raise ValueError
        return kind(meant)
    return check


def _number(value: str, kind: type) -> float:
    plain = unicodedata.normalize("NFKC", value).translate({0x66B: ".", 0x66C: None, 0x2212: "-"}).strip()
    if len(plain) > MAX_NUMBER or THOUSANDS.search(plain):  # Python itself refuses to read thousands of digits
        raise ValueError
    if re.fullmatch(r"0[xob][0-9a-fA-F_]+", plain):
        return int(plain, 0)
    plain = re.sub(r"(?<=\d)[\s_'’](?=\d)", "", re.sub(r"\s*[^\W\d_]*\s*%?$", "", plain) if not _is_float(plain) else plain)
    if kind is int and re.fullmatch(r"[+-]?\d{1,3}([.,]\d{3})+", plain):
        plain = re.sub("[.,]", "", plain)
    return float(plain.replace(",", "."))


def _is_float(value: str) -> bool:
    with suppress(ValueError):
        return bool(re.search(r"\d", value)) and float(value) is not None
    return False


def days(least: int, most: int) -> Callable[[str], int]:
    """A number of days; `1 an` is 365 of them."""
    def check(value: str) -> int:
        unit = re.search(r"[^\W\d_]*[.\s]*$", value)
        times = DAYS.get(word(unit[0]) if unit else "")
        if times is None:
            raise ValueError
        return int(number(least, most)(str(times * number(0, most)(value))))
    return check


def one_of(*words: str) -> Callable[[str], str]:
    """One of some words, in whatever case, or nearly."""
    def check(value: str) -> str:
        near = difflib.get_close_matches(word(value), words, 2, 0.75) if len(value) <= 40 else []
        meant = CHOICES.get(word(value), word(value))
        if meant in words:
            return meant
        if len(near) != 1 or len(value) < 4:
            raise ValueError
        return near[0]
    return check


def language(*tags: str) -> Callable[[str], str]:
    """A language by its tag or its name."""
    def check(value: str) -> str:
        tag = word(value)[:2] if re.fullmatch(r"[A-Za-z]{2}([-_.].{0,20})?", value) else ""
        meant = LANGUAGE_NAMES.get(word(value), tag)
        if meant not in tags:
            raise ValueError
        return meant
    return check


def yes_no(value: str) -> bool:
    """A yes or a no."""
    if word(value) not in YES | NO:
        raise ValueError
    return word(value) in YES


def path(value: str) -> Path:
    """A file's or a folder's."""
    try:
        return Path(text(1, 500)(value)).expanduser()
    except RuntimeError as error:  # ~nosuchuser
        raise ValueError from error


def file(value: str) -> str:
    """A file's path, or nothing."""
    return str(path(value)) if value else ""


def address(value: str) -> str:
    """What is typed in a browser, or nothing."""
    if not value:
        return value
    url = text(1, 100)(value if "://" in value else f"http://{value}")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"\s", url):
        raise ValueError
    return f"{url}/" if not parts.path else url


def zone(value: str) -> str:
    """A time zone; its city is enough. Who writes GMT+1 is an hour ahead, which POSIX, and so its file, calls GMT-1."""
    if offset := OFFSET.fullmatch(value):
        value = f"Etc/GMT{'-' if offset[1] == '+' else '+'}{offset[2]}"
    try:
        return ZoneInfo(text(1, 60)(value)).key
    except (ZoneInfoNotFoundError, OSError, ValueError):
        meant = _zones().get(word(value), ())
        if len(meant) != 1:
            raise ValueError from None
        return next(iter(meant))


@cache
def _zones() -> dict[str, set[str]]:
    """Every zone by its whole name and by its city."""
    found: dict[str, set[str]] = {}
    for known in available_timezones():
        for called in {word(known), word(known.rpartition("/")[2])}:
            found.setdefault(called, set()).add(known)
    return found


def position(value: str) -> tuple[float, float] | None:
    """Latitude and longitude; nothing is nowhere."""
    if not value:
        return None
    plain = unicodedata.normalize("NFKC", text(3, 80)(value)).translate({0x2013: "-", 0x66B: ".", 0x60C: ","})
    plain = re.sub(r"(?i)^geo:|\b(lat|lon|long|lng|latitude|longitude)\b[\s:=.]*", "", plain)
    if re.match(r"(?i)\s*[NS]\s*\d", plain):
        plain = re.sub(r"(?i)([NSEWO])\s*(\d[\d.,]*\d)", r"\2 \1", plain)
    found = COORDINATE.findall(plain)
    if len(found) == 1 and plain.count(",") == 1:  # 48,2
        found = [(part, "") for part in plain.split(",")]
    if len(found) != 2 or re.sub(r"[\s,;°/()|]", "", COORDINATE.sub("", plain)):
        raise ValueError
    (north, ns), (east, ew) = ((_coordinate(part), side.upper()) for part, side in found)
    if ns in ("E", "W", "O") or ew in ("N", "S"):
        raise ValueError
    latitude, longitude = (-north if ns == "S" else north), (-east if ew in ("W", "O") else east)
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise ValueError
    return latitude, longitude


def _coordinate(value: str) -> float:
    return float(value.replace(",", ".").replace("−", "-"))


def listen(value: str) -> Address:
    """(host, port)."""
    host, colon, port = re.sub(r"^https?://|/+$|\s", "", text(3, 120)(value)).rpartition(":")
    if not colon:
        raise ValueError
    return _host(host).strip("[]"), _port(port)


def peers(value: str) -> tuple[Address, ...]:
    """(host, port) of each; the port of web pages where none is given."""
    parts = [part for part in re.split(r"[,;\s]+", text(0, 2_000)(value)) if part]
    return tuple(listen(part if re.search(r":\d+/?$", part) else f"{part.rstrip('/')}:80") for part in parts)


def hosts(value: str) -> tuple[str, ...]:
    """Hosts in small letters, some with a port, as `node.daemon.public_address` compares them."""
    parts = [part.lower() for part in re.split(r"[,;\s]+", text(0, 2_000)(value)) if part]
    for part in parts:
        host, colon, port = part.rpartition(":")
        if colon and not part.endswith("]"):
            _port(port)
        _host(host if colon and not part.endswith("]") else part)
    return tuple(part.replace("[", "").replace("]", "") if part.endswith("]") else part for part in parts)


def contact(value: str) -> str:
    """What can stand in a header of a request (RFC 9110, 5.6.5): plain letters, no brackets."""
    if not re.fullmatch(r"[!-'*-\[\]-~ ]{0,120}", value):
        raise ValueError
    return value


def _host(value: str) -> str:
    if not HOST.fullmatch(value):
        raise ValueError
    value.encode("idna")  # what a name is asked for by; UnicodeError is a ValueError
    return value


def _port(value: str) -> int:
    if not re.fullmatch(r"\d{1,5}", value) or not 1 <= int(value) <= 65_535:
        raise ValueError
    return int(value)


def radio(value: str) -> str:
    """Where a Meshtastic radio is."""
    return _device(value, ("auto", "serial"), port_needed=False)


def tnc(value: str) -> str:
    """Where a TNC is."""
    return _device(value, (), port_needed=True)


def _device(value: str, words: Iterable[str], port_needed: bool) -> str:
    way, _, where = re.sub(r"\s*:\s*", ":", text(2, 200)(value)).partition(":")
    way = word(way) if not way.startswith("/") else way
    if not where and way in NOTHING:
        return "none"
    if not where and way in words:
        return way
    if not where and way.startswith("/dev/"):
        way, where = "serial", way
    if way == "serial" and re.fullmatch(r"/\S+", where):
        return f"serial:{where}"
    if way != "tcp":
        raise ValueError
    host, colon, port = (where, "", "") if where.endswith("]") or ":" not in where else where.rpartition(":")
    if colon or port_needed:
        _port(port)
    return f"tcp:{_host(host)}{colon}{port}"


def region(value: str) -> str:
    """A Meshtastic region that is known, or nothing."""
    if not value:
        return value
    known = {re.sub(r"\W|_", "", one).upper(): one for one in REGIONS}
    meant = known.get(re.sub(r"\W|_", "", value).upper())
    if meant is None:
        raise ValueError
    return meant


def callsign(value: str) -> str:
    """An amateur's, with or without its number."""
    meant = unicodedata.normalize("NFKC", value).upper()
    if not re.fullmatch(r"|(?=[A-Z]*[0-9])[A-Z0-9]{3,6}(-([0-9]|1[0-5]))?", meant):
        raise ValueError
    return meant


def brokers(value: str) -> str:
    """`none`, or up to four addresses parted by a comma and a blank."""
    if not value or word(value) in NOTHING:
        return "none"
    urls = [_broker(url) for url in re.split(r"[,;]\s*", text(8, 1_200)(value)) if url.strip()]
    if not 1 <= len(urls) <= MAX_BROKERS:
        raise ValueError
    return ", ".join(urls)


def _broker(value: str) -> str:
    scheme, sign, rest = value.strip().strip("<>").partition("://")
    url = f"{scheme.lower()}{sign}{rest.rstrip('/')}"
    parts = urlsplit(text(8, 300)(url))
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or parts.path or parts.query or parts.fragment:
        raise ValueError
    if re.search(r"\s", url) or parts.port == 0:  # asking for the port raises ValueError when it is no number
        raise ValueError
    parts.hostname.encode("idna")
    return url


def wifi_password(value: str) -> str:
    """What hostapd takes, or nothing."""
    if value and not MIN_WIFI_PASSWORD <= len(value.encode()) <= MAX_WIFI_PASSWORD:
        raise ValueError
    return value


def keeper(value: str) -> str:
    """A name as keepers have it, or nothing."""
    fitting = fit_name(value) if value else ""
    if fitting is None:
        raise ValueError
    return fitting


def keeper_password(value: str) -> str:
    """What passwords must be, or nothing."""
    if value and passphrase_fault(value):
        raise ValueError
    return spellings(value)[0] if value else ""


def ssh_key(value: str) -> str:
    """One line of an `authorized_keys` file, or nothing: kind, key, comment. The key names its kind (RFC 4253, 6.6)."""
    if not value:
        return value
    kind, _, rest = " ".join(text(20, 1_000)(value).split()).partition(" ")
    key = rest.partition(" ")[0]
    try:
        inside = base64.b64decode(key, validate=True)
    except binascii.Error as error:
        raise ValueError from error
    if not re.fullmatch(r"(ssh|ecdsa|sk)-[\w@.-]+", kind) or not inside[4:].startswith(kind.encode()):
        raise ValueError
    return f"{kind} {rest}"


def unquoted(value: str) -> str:
    """A value without quotes inside its quotes."""
    return tidy(tidy(value).strip(DOUBLE + SINGLE))
