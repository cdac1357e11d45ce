"""Between lanes and callbacks: order, room, and who waits for what."""

import eventlet
import pytest

from nameko_salesforce.bayeux.mailbox import Mailbox

# A wait that should have ended is a failure and not a hang.
SOON = 5


@pytest.fixture(autouse=True)
def bounded():
    with eventlet.Timeout(SOON):
        yield


def give_way():
    for _ in range(3):
        eventlet.sleep(0)


@pytest.fixture
def mailbox():
    return Mailbox(limit=2, characters=100)


def test_items_leave_in_the_order_in_which_they_came(mailbox):
    for item in 'abc':
        mailbox.put(item)
    taken = []
    for _ in 'abc':
        taken.append(mailbox.take())
        mailbox.taken()
    assert taken == ['a', 'b', 'c']


def test_an_item_stays_until_it_is_handled(mailbox):
    mailbox.put('a', 2)
    assert (mailbox.take(), mailbox.take(), len(mailbox)) == ('a', 'a', 2)
    mailbox.taken()
    assert len(mailbox) == 0


def test_one_who_takes_waits_for_an_item(mailbox):
    taker = eventlet.spawn(mailbox.take)
    give_way()
    assert not taker.dead
    mailbox.put('a')
    assert taker.wait() == 'a'


def test_there_is_room_up_to_the_limit_and_with_it(mailbox):
    mailbox.put('a', 2)
    mailbox.wait_for_room()


def test_a_put_may_pass_the_limit_and_never_waits(mailbox):
    mailbox.put('a', 1000)
    mailbox.put('b', 1)
    assert len(mailbox) == 1001


def test_above_the_limit_everybody_waits_until_enough_is_handled(mailbox):
    mailbox.put('a', 2)
    mailbox.put('b', 3)
    mailbox.put('c', 1)
    lanes = [eventlet.spawn(mailbox.wait_for_room) for _ in range(2)]
    give_way()
    mailbox.taken()
    give_way()
    assert [lane.dead for lane in lanes] == [False, False]
    mailbox.taken()
    for lane in lanes:
        lane.wait()
    assert len(mailbox) == 1


def test_what_needs_no_room_leaves_the_room_as_it_is(mailbox):
    for _ in range(10):
        mailbox.put('notice')
    mailbox.wait_for_room()
    assert len(mailbox) == 0


def test_one_who_waits_looks_again_when_the_room_is_gone_by_its_turn(mailbox):
    mailbox.put('a', 3)
    lane = eventlet.spawn(mailbox.wait_for_room)
    give_way()
    mailbox.taken()
    mailbox.put('b', 3)
    give_way()
    assert not lane.dead
    mailbox.taken()
    lane.wait()


def test_a_closed_mailbox_lets_everybody_go_and_keeps_nothing(mailbox):
    mailbox.put('a', 3)
    lane = eventlet.spawn(mailbox.wait_for_room)
    give_way()
    mailbox.close()
    assert lane.wait() is True
    mailbox.put('b', 100)
    assert len(mailbox) == 3
    assert mailbox.wait_for_room() is True
    assert mailbox.take() is None


def test_one_who_takes_from_a_mailbox_that_is_closed_goes_away_empty(mailbox):
    taker = eventlet.spawn(mailbox.take)
    give_way()
    mailbox.close()
    assert taker.wait() is None


def test_who_waits_for_room_may_set_a_limit(mailbox):
    mailbox.put('a', 3)
    assert mailbox.wait_for_room(timeout=0.001) is False
    mailbox.taken()
    assert mailbox.wait_for_room(timeout=0.001) is True


def test_there_is_no_room_either_while_too_much_text_waits(mailbox):
    mailbox.put('a', 1, 100)
    assert mailbox.wait_for_room(timeout=0.001) is True
    mailbox.put('b', 1, 1)
    assert mailbox.wait_for_room(timeout=0.001) is False
    mailbox.taken()
    assert mailbox.wait_for_room(timeout=0.001) is True
