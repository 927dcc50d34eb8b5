"""How tests of the keepers' pages sign in."""

import re

from tests.sim.portals import PASSWORD


def sign_in(portal, name="lea", password=PASSWORD, address="127.0.0.1"):
    return portal.post("/keeper/login", data={"name": name, "password": password},
                       environ_overrides={"REMOTE_ADDR": address})


def csrf_of(portal):
    """The token of the session's forms."""
    return re.search(r'name="csrf" value="(\w+)"', portal.get("/keeper").get_data(as_text=True)).group(1)


def desk_of(portal):
    """Posts one of the keepers' forms, signed in as lea."""
    assert sign_in(portal).status_code == 303
    csrf = csrf_of(portal)
    return lambda path, **fields: portal.post(f"/keeper/{path}", data={"csrf": csrf} | fields)


def is_in(portal):
    """Whether the desk is open to this browser."""
    return 'name="password"' not in portal.get("/keeper").get_data(as_text=True)
