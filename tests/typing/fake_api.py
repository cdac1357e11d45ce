"""The fake as users' tests write it. Never executed; see `api.py`.

Read by `tests/project/test_wheel.py`, where the package has been installed under its name: out of the source
tree, mypy does not find it.
"""

from typing import Any, assert_type

from fake_salesforce.client import FakeServer, NotHappened, start_fake
from fake_salesforce.faults import FaultKind
from fake_salesforce.journal import Entry
from fake_salesforce.people import Person
from fake_salesforce.settings import SALESFORCE, VANILLA


def test_chat(fake_salesforce: FakeServer) -> None:
    assert_type(fake_salesforce.url, str)
    assert_type(fake_salesforce.publish('/chat', {'n': 1}), int)
    assert_type(fake_salesforce.faults.add(FaultKind.STATUS, channel='/meta/connect', status=503), int)
    assert_type(fake_salesforce.faults.list(), list[dict[str, Any]])
    fake_salesforce.faults.clear()
    try:
        assert_type(
            fake_salesforce.wait_for('reply', channel='/meta/subscribe', successful=True), list[Entry]
        )
    except NotHappened:
        fake_salesforce.reset()


def test_either_kind(fake_cometd: FakeServer) -> None:
    fake_cometd.reset('salesforce')
    assert_type(fake_cometd.expire_routing_cookies(), int)
    assert_type(fake_cometd.retained('/topic/Orders'), list[dict[str, Any]])


def test_people(fake_salesforce: FakeServer) -> None:
    ada = fake_salesforce.person()
    assert_type(ada, Person)
    assert_type(ada.create('Contact', LastName='Hopper'), str)
    assert_type(ada.query('SELECT Id FROM Contact'), list[dict[str, Any]])


def run() -> None:
    with start_fake('--profile', 'vanilla', timeout=5.0) as server:
        assert_type(server, FakeServer)


assert_type(VANILLA.changed({'timeout': 1}).timeout, float)
assert_type(SALESFORCE.changed({'busy': ['/meta/connect']}).busy, tuple[str, ...])
