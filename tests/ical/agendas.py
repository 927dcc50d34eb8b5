"""Agendas in the manner of the programs that people really use; every event in them is made up."""

ZONE = """BEGIN:VTIMEZONE
TZID:{name}
BEGIN:DAYLIGHT
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
TZNAME:CEST
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
BEGIN:STANDARD
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
TZNAME:CET
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE"""

GANCIO = """BEGIN:VCALENDAR
VERSION:2.0
CALSCALE:GREGORIAN
PRODID:gancio
METHOD:PUBLISH
X-WR-CALNAME:Le sémaphore
X-PUBLISHED-TTL:PT1H
BEGIN:VEVENT
UID:204@semaphore.exemple.org
SUMMARY:Cantine de quartier
DTSTAMP:20251201T080000Z
DTSTART:20251206T113000Z
DTEND:20251206T140000Z
DESCRIPTION:[Le Hangar] Venez manger\\, prix libre.
LOCATION:Le Hangar - 4 quai du Port
URL:https://semaphore.exemple.org/event/cantine-de-quartier
GEO:48.8801;2.3702
STATUS:CONFIRMED
CATEGORIES:cantine,prix libre
X-ALT-DESC;FMTTYPE=text/html:<p>Venez manger</p>
BEGIN:VALARM
ACTION:DISPLAY
DESCRIPTION:Rappel
TRIGGER:-PT1H
END:VALARM
END:VEVENT
END:VCALENDAR
"""

DEMOSPHERE = f"""BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//demosphere//agenda//FR
X-WR-CALNAME;VALUE=TEXT:Agenda militant
X-WR-TIMEZONE:Europe/Paris
{ZONE.format(name="Europe/Paris")}
BEGIN:VEVENT
UID:event71234@paris.exemple.org
SEQUENCE:3
LAST-MODIFIED:20251130T170500Z
DTSTAMP:20251130T170500Z
DTSTART;TZID=Europe/Paris:20251209T183000
SUMMARY:Rassemblement pour le centre de santé
LOCATION:Place du Colonel-Fabien\\, Paris
URL:https://paris.exemple.org/rv/71234
CATEGORIES:Manifestation
DESCRIPTION:<p>Le centre ferme&nbsp;!</p><ul><li>18h30 : d&eacute;part</li>
 <li>20h : <a href="https://exemple.org">retour</a></li></ul><script>alert(1)</script>
END:VEVENT
END:VCALENDAR
"""

MOBILIZON = """BEGIN:VCALENDAR
CALSCALE:GREGORIAN
VERSION:2.0
PRODID:-//Mobilizon//FR
NAME:Les Voisines
X-WR-CALNAME:Les Voisines
BEGIN:VEVENT
UID:5f0b7a1e-3c2d-4a6e-9b1f-0d8c7e6f5a4b
SUMMARY:Atelier vélo
DTSTAMP:20251128T093000Z
CREATED:20251128T093000Z
LAST-MODIFIED:20251129T101500Z
DTSTART:20251210T170000Z
DTEND:20251210T190000Z
DESCRIPTION:On répare ensemble.\\n\\nhttps://mobilizon.exemple.org/events/5f0b7a1e
GEO:0;0
LOCATION:12 rue Bichat
URL:https://mobilizon.exemple.org/events/5f0b7a1e
ORGANIZER;CN="Les Voisines":https://mobilizon.exemple.org/@voisines
CATEGORIES:LEARNING
STATUS:CONFIRMED
END:VEVENT
END:VCALENDAR
"""

AGENDA_DU_LIBRE = f"""BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//agendadulibre//FR
X-WR-CALNAME:Agenda du Libre
X-WR-TIMEZONE:Europe/Paris
{ZONE.format(name="Europe/Paris")}
BEGIN:VEVENT
UID:31000@libre.exemple.org
DTSTAMP:20251120T120000Z
CREATED:20251101T120000Z
LAST-MODIFIED:20251120T120000Z
SEQUENCE:0
DTSTART;TZID=Europe/Paris:20251211T190000
DTEND;TZID=Europe/Paris:20251211T213000
SUMMARY:Paris: Réunion mensuelle
DESCRIPTION:<p>Comme chaque mois\\, <strong>ouverte à toutes et tous</strong>.</p>
LOCATION:Maison des associations\\, 10 rue des Terres
CONTACT:Le Club
ORGANIZER:mailto:contact@libre.exemple.org
CATEGORIES:reunion,logiciels-libres
CLASS:PUBLIC
URL:https://libre.exemple.org/events/31000
END:VEVENT
END:VCALENDAR
"""


def event(*lines, uid="1", summary="Bal", start="20251205T190000Z"):
    """The lines of an event; the first of each name counts."""
    given = [f"UID:{uid}", f"SUMMARY:{summary}", f"DTSTART:{start}"]
    named = {line.split(":")[0].split(";")[0] for line in lines}
    return ["BEGIN:VEVENT", *(line for line in given if line.split(":")[0] not in named), *lines, "END:VEVENT"]


def calendar(*parts, name="Un agenda"):
    """A file with such events and other parts (lists of lines)."""
    lines = [line for part in parts for line in part]
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", f"X-WR-CALNAME:{name}", *lines, "END:VCALENDAR", ""]).encode()
