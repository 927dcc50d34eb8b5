import threading

from radio.inbox import MAX_WAITING, Inbox
from radio.link import Received
from tests.waiting import until


def packets(count):
    return [Received(b"%d" % number) for number in range(count)]


def test_packets_are_taken_in_the_order_they_came():
    inbox = Inbox()
    assert all(map(inbox.put, packets(3)))
    assert [inbox.take(0) for _ in range(4)] == [*packets(3), None]


def test_a_full_inbox_takes_no_more_until_one_is_taken():
    inbox = Inbox()
    assert [inbox.put(packet) for packet in packets(MAX_WAITING + 1)] == [True] * MAX_WAITING + [False]
    assert inbox.take(0) and inbox.put(Received(b"late"))
    assert len(inbox) == MAX_WAITING


def test_who_is_patient_gets_the_place_that_becomes_free():
    inbox, done = Inbox(), []
    for packet in packets(MAX_WAITING):
        inbox.put(packet)
    patient = threading.Thread(target=lambda: done.append(inbox.put(Received(b"late"), 60)))
    patient.start()
    assert inbox.take(0) == Received(b"0")
    patient.join(30)
    assert done == [True]


def test_closing_wakes_who_waits_to_take_and_who_waits_to_put():
    empty, full, done = Inbox(), Inbox(), []
    for packet in packets(MAX_WAITING):
        full.put(packet)
    waiters = [threading.Thread(target=lambda: done.append(empty.take(60))),
               threading.Thread(target=lambda: done.append(full.put(Received(b"late"), 60)))]
    for waiter in waiters:
        waiter.start()
    empty.close()
    full.close()
    until(lambda: len(done) == 2)
    assert sorted(done, key=str) == [False, None]


def test_a_closed_inbox_gives_nothing_and_takes_nothing():
    inbox = Inbox()
    inbox.put(Received(b"before"))
    inbox.close()
    assert inbox.take(0) is None and not inbox.put(Received(b"after"))
