"""Minutes since 2024 UTC, and the days and hours that people know."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

EPOCH = datetime(2024, 1, 1)
QUARTER_MIN = 15


def local(minute: int, offset: int) -> datetime:
    """What a wall clock shows at `minute`, `offset` quarters of an hour east of UTC."""
    return EPOCH + timedelta(minutes=minute + QUARTER_MIN * offset)


def offset_at(moment: datetime, zone: ZoneInfo) -> int:
    """The zone's quarters of an hour east of UTC when its wall clocks show `moment`."""
    shift = moment.replace(tzinfo=zone).utcoffset() or timedelta(0)
    return round(shift / timedelta(minutes=QUARTER_MIN))


def minute(moment: datetime, zone: ZoneInfo) -> int:
    """The minute at which wall clocks of the zone show `moment`; may be negative or past all records."""
    return (moment - EPOCH) // timedelta(minutes=1) - QUARTER_MIN * offset_at(moment, zone)


def here(at: int, zone: ZoneInfo) -> datetime:
    """What the island's wall clock shows at minute `at`."""
    utc = (EPOCH + timedelta(minutes=at)).replace(tzinfo=ZoneInfo("UTC"))
    return utc.astimezone(zone).replace(tzinfo=None)


def midnight(day: date, zone: ZoneInfo) -> int:
    """The minute at which `day` begins here."""
    return minute(datetime.combine(day, time()), zone)
