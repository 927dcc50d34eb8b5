"""What one author can overrule of what others tell is bounded; who says the same as they do overrules nobody."""

from node.model.record import Kind
from node.replica.entry import Entry
from node.replica.entry import Testimony as Told
from node.replica.witnesses import MAX_OVERRULED, ranked


def told(author, event, version=1):
    """A record in memory in which somebody tells a version of an event."""
    key, id_ = event.to_bytes(8, "big"), f"{author} {event} {version}".encode()
    return Entry(id_, b"", Kind.EVENT, author.encode(), event, 9_999, id_, id_, (event, False, id_),
                 Told(key, (version, 0), b"alike"))


def authors_of(events):
    """Who counts of each event, the first one speaks."""
    return [[one.author.decode() for one in entries] for entries in ranked({number: entries for number, entries in
                                                                            enumerate(events)}).values()]


def test_who_says_what_others_say_is_heard_of_any_number_of_events():
    events = [[told("ana", number), told("bo", number)] for number in range(MAX_OVERRULED + 1)]
    assert authors_of(events) == [["ana", "bo"]] * len(events)


def test_who_says_more_than_others_is_heard_of_so_many_events_the_first_ones():
    events = [[told("ana", number, 2), told("bo", number)] for number in range(MAX_OVERRULED + 1)]
    assert authors_of(events) == [["ana", "bo"]] * MAX_OVERRULED + [["bo"]]
