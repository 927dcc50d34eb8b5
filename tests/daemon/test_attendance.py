"""What nobody waits for lets people pass, and does not wait for ever."""

import threading

import pytest

from node.daemon.attendance import Attendance
from tests.waiting import until


def test_while_somebody_waits_for_an_answer_it_is_not_calm():
    attendance, asked, go, told = Attendance(), threading.Event(), threading.Event(), []

    def portal(environ, start):
        asked.set()
        go.wait(60)
        return [b"page"]

    attended = attendance.attended(portal)
    assert attendance.let_pass(0)
    visitor = threading.Thread(target=lambda: told.append(attended({}, None)))
    visitor.start()
    assert asked.wait(60) and not attendance.let_pass(0.01)
    waiter = threading.Thread(target=lambda: told.append(attendance.let_pass(60)))
    waiter.start()
    go.set()
    until(lambda: len(told) == 2)
    visitor.join()
    waiter.join()
    assert [b"page"] in told and True in told and attendance.let_pass(0)


def test_a_request_that_fails_is_over():
    attendance = Attendance()
    with pytest.raises(ZeroDivisionError):
        attendance.attended(lambda environ, start: 1 / 0)({}, None)
    assert attendance.let_pass(0)
