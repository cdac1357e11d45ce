"""A store that ends with its process. That it is a store at all is in test_store.py."""

from nameko_salesforce.replay.memory_store import MemoryStore
from tests.replay.test_store import ids, letter, position


def test_two_stores_have_nothing_in_common():
    one, other = MemoryStore(), MemoryStore()
    one.save({'/a': position()})
    one.add_dead_letter(letter())
    assert other.load('/a') is None
    assert other.count_dead_letters() == 0


def test_it_says_that_nothing_lasts():
    assert not MemoryStore().lasting
    assert MemoryStore().place == 'memory'


def test_letters_are_bounded_after_some_were_removed():
    store = MemoryStore(dead_letter_limit=2)
    for number in range(3):
        store.add_dead_letter(letter(replay_id=number))
        if number == 1:
            assert store.remove_dead_letter(store.dead_letters()[0].number)
    assert ids(store.dead_letters()) == [1, 2]
