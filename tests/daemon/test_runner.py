"""The runner: nothing waits for a link that hangs, posts are answered once durable, one failure ends nothing."""

import queue
import threading
import time
from collections import Counter

import pytest

from node.daemon.runner import LinkPort, PendingText, PeriodicJob, Runner
from node.model.clock import SystemClock, minute_of
from node.model.errors import LocalMisuse
from node.model.keys import Charter, SigningKey
from node.model.record import Kind, Record, encode, sign
from node.replica.liveset import LiveSet
from node.replica.replica import Replica
from node.store.index import StoreFailed
from node.store.memory import MemoryStore
from node.sync.events import LinkChanged, PacketReceived, RecordKept, Send, SendDone
from radio.link import Outcome, Received
from tests.waiting import until

KEY = SigningKey(b"\1" * 32)
CHARTER = Charter.found("x", [KEY.public], bytes(32))


class Wire:
    """A link whose other end is this test; `stuck` makes `send` wait for ever, as a full radio does."""

    name, max_payload, up, state = "wire", 231, True, "up"

    def __init__(self, stuck=False):
        self.counters = Counter()
        self.sent, self.heard, self.receivers = queue.Queue(), queue.Queue(), []
        self._stuck, self.closed = stuck, threading.Event()

    def send(self, payload, hop_limit=0, urgent=False, to=""):
        self.receivers.append(to)
        self.sent.put(payload)
        if self._stuck:
            self.closed.wait()
        return Outcome.SENT

    def receive(self, timeout_s):
        try:
            return self.heard.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def close(self):
        self.closed.set()


class Parrot:
    """An engine that sends on the wire every record kept, and remembers what it was told."""

    deadline = None

    def __init__(self, broken=False):
        self.told, self.broken = queue.Queue(), broken

    def handle(self, event, now):
        self.told.put(event)
        if self.broken and isinstance(event, PacketReceived):
            raise RuntimeError("a mistake of ours")
        return [Send("wire", event.id, to="!7")] if isinstance(event, RecordKept) else []


def test_a_text_waits_behind_every_packet_and_its_end_is_told_to_nobody_else():
    told, done, wire = queue.Queue(), queue.Queue(), Wire()
    port = LinkPort(wire, told.put)
    port.send_text(PendingText(lambda: wire.send(b"text"), done.put))
    for number in range(3):
        port.send(Send("wire", b"packet %d" % number))
    port.send_text(PendingText(lambda: 1 / 0, done.put))
    port.start()
    assert [wire.sent.get(timeout=30) for _ in range(4)] == [b"packet 0", b"packet 1", b"packet 2", b"text"]
    assert [done.get(timeout=30) for _ in range(2)] == [Outcome.SENT, Outcome.FAILED]
    until(lambda: sum(isinstance(event, SendDone) for event in list(told.queue)) == 3)
    port.close()
    port.join(time.monotonic() + 30)


def post(number=0):
    record = Record(Kind.BULLETIN, KEY.key_id, minute_of(SystemClock().now()), 24, packed=b"%d" % number)
    return encode(sign(record, CHARTER.set_id, KEY.sign))


def together(runner, *works):
    """Do these from threads of their own so that they wait in one turn of the runner; what each returned or raised."""
    begun, go, answers = threading.Event(), threading.Event(), {}

    def tried(number, work):
        try:
            answers[number] = work()
        except Exception as error:
            answers[number] = error

    threads = [threading.Thread(target=runner.call, args=(lambda: begun.set() or go.wait(30),))]
    threads[0].start()
    assert begun.wait(30)
    for number, work in enumerate(works):
        threads.append(threading.Thread(target=tried, args=(number, work)))
        threads[-1].start()
    until(lambda: runner.waiting >= len(works))
    go.set()
    for thread in threads:
        thread.join(30)
    return [answers[number] for number in range(len(works))]


@pytest.fixture
def start():
    """Starts runners that are stopped when the test ends."""
    runners = []

    def _start(link, engine, store=None, jobs=()):
        replica = Replica(LiveSet(CHARTER), MemoryStore() if store is None else store, [engine])
        runners.append(Runner(replica, [link], SystemClock(), jobs))
        runners[-1].start()
        return runners[-1]

    yield _start
    for runner in runners:
        runner.stop()


def test_a_post_is_kept_before_it_is_sent_and_then_answered(start):
    wire, parrot = Wire(), Parrot()
    verdict = start(wire, parrot).publish(post())
    assert verdict.kept
    assert wire.sent.get(timeout=30) == verdict.id and wire.receivers == ["!7"]
    kinds = [type(parrot.told.get(timeout=30)) for _ in range(3)]
    assert set(kinds) == {LinkChanged, RecordKept, SendDone}


def test_a_link_that_was_down_for_a_moment_is_said_to_have_been_down(start):
    wire, parrot = Wire(), Parrot()
    start(wire, parrot)
    assert parrot.told.get(timeout=30) == LinkChanged("wire", True)
    wire.counters["connected"] += 1
    wire.heard.put(Received(b"wake up"))
    told = [parrot.told.get(timeout=30) for _ in range(3)]
    assert told == [PacketReceived("wire", b"wake up"), LinkChanged("wire", False), LinkChanged("wire", True)]


def test_what_was_heard_before_a_link_went_down_is_told_before_that(start):
    class Cut(Wire):
        def receive(self, timeout_s):
            heard = super().receive(timeout_s)
            self.up = self.up and heard is None  # it goes down while two more packets wait
            return heard

    wire, parrot = Cut(), Parrot()
    packets = [PacketReceived("wire", payload) for payload in (b"one", b"two", b"three")]
    for packet in packets:
        wire.heard.put(Received(packet.payload))
    start(wire, parrot)
    told = [parrot.told.get(timeout=30) for _ in range(5)]
    assert told == [LinkChanged("wire", True), *packets, LinkChanged("wire", False)]


def test_a_link_that_hangs_holds_up_nobody(start):
    runner = start(Wire(stuck=True), Parrot())
    assert all(runner.publish(post(number)).kept for number in range(20))


def test_posts_that_come_together_share_one_commit(start):
    commits = []

    class Counting(MemoryStore):
        """Notes how many rows each commit had."""

        def commit(self, put=(), delete=()):
            put = list(put)
            commits.append(len(put))
            super().commit(put, delete)

    runner = start(Wire(), Parrot(), Counting())
    verdicts = together(runner, *(lambda number=number: runner.publish(post(number)) for number in range(10)))
    assert all(verdict.kept for verdict in verdicts)
    assert commits == [10]


def test_a_card_that_refuses_is_told_to_who_posted_and_the_runner_goes_on(start):
    class Full(MemoryStore):
        """Refuses once."""

        refuse = True

        def commit(self, put=(), delete=()):
            if self.refuse:
                raise StoreFailed("full")
            super().commit(put, delete)

    store = Full()
    runner = start(Wire(), Parrot(), store)
    with pytest.raises(StoreFailed, match="full"):
        runner.publish(post())
    store.refuse = False
    assert runner.publish(post()).kept


def test_a_mistake_in_an_engine_ends_neither_the_loop_nor_the_next_post(start, caplog):
    wire = Wire()
    runner = start(wire, Parrot(broken=True))
    wire.heard.put(Received(b"boom"))
    until(lambda: "the runner failed at events" in caplog.text)
    assert runner.publish(post()).kept


def test_a_post_is_not_refused_for_a_mistake_at_a_packet_that_came_with_it(start, caplog):
    runner = start(Wire(), Parrot(broken=True))
    boom = PacketReceived("wire", b"boom")
    _, verdict, told = together(runner, lambda: runner.take(boom), lambda: runner.publish(post()),
                                lambda: runner.call(lambda: "done"))
    assert verdict.kept and told == "done" and "the runner failed at events" in caplog.text


def test_what_is_left_for_later_is_done_once_the_events_at_hand_are_over(start):
    class Patient(Parrot):
        """Leaves something for later at each packet."""

        def handle(self, event, now):
            if isinstance(event, PacketReceived):
                self.told.put(event.payload)
                runner.afterwards(lambda: self.told.put(b"later"))
            return []

    parrot = Patient()
    runner = start(Wire(), parrot)
    together(runner, lambda: runner.take(PacketReceived("wire", b"1")), lambda: runner.take(PacketReceived("wire", b"2")))
    told = [parrot.told.get(timeout=30) for _ in range(4)]
    assert set(told[:2]) == {b"1", b"2"} and told[2:] == [b"later", b"later"]


def test_the_runners_thread_never_waits_for_itself(start):
    runner = start(Wire(), Parrot())
    with pytest.raises(LocalMisuse, match="wait for itself"):
        runner.call(lambda: runner.publish(post()))
    assert runner.publish(post()).kept


def test_who_asks_once_it_has_stopped_is_not_kept_waiting(start):
    runner = start(Wire(), Parrot())
    runner.stop()
    with pytest.raises(StoreFailed, match="closed"):
        runner.publish(post())


def test_work_that_fails_is_its_askers_failure(start):
    runner = start(Wire(), Parrot())
    with pytest.raises(ZeroDivisionError):
        runner.call(lambda: 1 / 0)
    assert runner.call(lambda: "still here") == "still here"


def test_a_link_whose_library_fails_while_it_listens_is_heard_all_the_same(start, caplog):
    class Flaky(Wire):
        """Fails at each second packet."""

        def receive(self, timeout_s):
            heard = super().receive(timeout_s)
            if heard and heard.payload == b"boom":
                raise RuntimeError("a surprise of the library")
            return heard

    wire, parrot = Flaky(), Parrot()
    start(wire, parrot)
    assert parrot.told.get(timeout=30) == LinkChanged("wire", True)
    for payload in (b"boom", b"1", b"boom", b"2"):
        wire.heard.put(Received(payload))
    assert [parrot.told.get(timeout=30).payload for _ in range(2)] == [b"1", b"2"]
    assert caplog.text.count("listening failed") == 2


def test_a_link_that_fails_to_close_keeps_the_runner_from_stopping_no_more_than_others(start, caplog):
    class Clinging(Wire):
        """Fails when it is closed."""

        def close(self):
            super().close()
            raise RuntimeError("a surprise of the library")

    runner = start(Clinging(), Parrot())
    runner.stop()
    assert "closing failed" in caplog.text
    with pytest.raises(StoreFailed, match="closed"):
        runner.publish(post())


def test_links_that_hang_when_they_are_closed_are_left_behind_all_at_once(monkeypatch):
    class Holding(Wire):
        """Its library never comes back from closing."""

        def close(self):
            super().close()
            held.wait()

    monkeypatch.setattr("node.daemon.runner.CLOSE_S", 0.2)
    held, kept = threading.Event(), []
    store, wires = MemoryStore(), [Holding() for _ in range(3)]
    for number, wire in enumerate(wires):
        wire.name = f"wire {number}"
    replica = Replica(LiveSet(CHARTER), store, [])
    runner = Runner(replica, wires, SystemClock(), [PeriodicJob(3_600.0, kept.append, at_end=True)])
    runner.start()
    stopping = threading.Thread(target=runner.stop)
    stopping.start()
    stopping.join(60)
    assert not stopping.is_alive() and len(kept) == 2, "the first turn and the last job"
    assert all(wire.closed.is_set() for wire in wires)
    held.set()


def test_an_engine_that_cannot_say_its_deadline_ends_nothing(start, caplog):
    class Lost(Parrot):
        """Does not know when."""

        lost = False

        @property
        def deadline(self):
            if self.lost:
                raise RuntimeError("a mistake of ours")
            return None

    lost = Lost()
    runner = start(Wire(), lost)
    runner.call(lambda: setattr(lost, "lost", True))
    runner.take(LinkChanged("wire", True))
    until(lambda: "deadline" in caplog.text)
    assert runner.publish(post()).kept
    lost.lost = False


def test_periodic_jobs_are_done_again_and_again(start):
    done = queue.Queue()
    start(Wire(), Parrot(), jobs=[PeriodicJob(0.01, done.put)])
    assert done.get(timeout=30) < done.get(timeout=30)


def test_what_must_outlive_a_restart_is_done_once_more_at_the_end_by_the_runner_itself(start):
    done = []

    def broken(now):
        raise RuntimeError("a mistake of ours")

    jobs = [PeriodicJob(3_600, lambda now: done.append(("once", threading.current_thread().name))),
            PeriodicJob(3_600, broken, at_end=True),
            PeriodicJob(3_600, lambda now: done.append(("again", threading.current_thread().name)), at_end=True)]
    runner = start(Wire(), Parrot(), jobs=jobs)
    until(lambda: len(done) == 2)
    runner.stop()
    assert done == [("once", "runner"), ("again", "runner"), ("again", "runner")]
