"""What every store promises, for all three; and the names and texts that they share.

A `Backend` makes stores of one place: of several services, orgs and processes.
"""

import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from nameko_salesforce.replay.memory_store import MemoryStore
from nameko_salesforce.replay.position import Position
from nameko_salesforce.replay.store import (
    DeadLetter,
    Owner,
    StoreFailed,
    StoreUnreadable,
    channel_name,
    letter_from_json,
    letter_to_json,
    safe_name,
)
from nameko_salesforce.replay.stores import open_store
from tests.replay.test_position import positions, replay_ids

ORG = '00D000000000001EAA'
OTHER_ORG = '00D000000000002EAA'


class Backend:
    """Opens stores of one place, and closes them."""

    def __init__(self, uri):
        self.uri = uri
        self.lasting = uri != 'memory://'
        self._opened = []

    def open(self, organization=ORG, service='contacts', **options):
        store = open_store(self.uri, organization=organization, service=service, **options)
        self._opened.append(store)
        return store

    def close(self):
        for store in self._opened:
            store.close()


@pytest.fixture(params=['memory', 'sqlite', 'redis', 'unix'])
def backend(request, tmp_path):
    match request.param:
        case 'memory':
            uri = 'memory://'
        case 'sqlite':
            uri = f'sqlite:///{tmp_path}/positions.db'
        case 'redis':
            uri = request.getfixturevalue('redis').uri
        case 'unix':
            uri = request.getfixturevalue('redis').socket_uri
    backend = Backend(uri)
    yield backend
    backend.close()


@pytest.fixture
def store(backend):
    return backend.open()


def position(replay_id=7, seen_until=2.0):
    return Position(replay_id, 1.5, seen_until, 1.0)


def letter(channel='/topic/Contact', **changes):
    event = {'event': {'replayId': 7}, 'sobject': {'Id': '003', 'Name': 'Ädä \ud800'}}
    made = DeadLetter(
        channel=channel,
        handler='handle',
        data=event,
        replay_id=7,
        error_type='LookupError',
        error='nobody there',
        attempts=3,
        first_at=1000.25,
        last_at=1010.5,
    )
    return replace(made, **changes)


def unnumbered(letters):
    return [replace(each, number=None) for each in letters]


# --- positions ---------------------------------------------------------------------------------------


def test_nothing_is_kept_at_first(store):
    assert store.load('/topic/Contact') is None


def test_what_is_saved_is_loaded(store):
    store.save({'/topic/A': position(1), '/topic/B': position('text'), '/topic/C': position(None)})
    assert store.load('/topic/A') == position(1)
    assert store.load('/topic/B') == position('text')
    assert store.load('/topic/C') == position(None)
    assert store.load('/topic/D') is None


def test_saving_nothing_is_nothing(store):
    store.save({})


def test_the_last_save_counts_whatever_its_id_looks_like(store):
    for replay_id in (100, 7, 'later', 3):
        store.save({'/a': position(replay_id)})
    assert store.load('/a') == position(3)


@pytest.mark.defect('S8')
@pytest.mark.parametrize('replay_id', [0, -1, 10**30, '', '0', '17', 'ä\ud800', 'a"b\\c\n\x00'])
def test_every_id_survives(store, replay_id):
    store.save({'/a': position(replay_id)})
    kept = store.load('/a').replay_id
    assert (kept, type(kept)) == (replay_id, type(replay_id))


CHANNELS = [
    '/topic/Contact',
    '/topic/contact',
    '/topic/Contact ',
    '/topic/Con:tact',
    '/topic/Con%3Atact',
    '/topic/{Contact}',
    '/data/ChangeEvents',
    '/event/*',
    '/ä',
    '/a\u0308',
    '/\ud800',
    '/\x00',
    '/\n',
    "/' OR 1=1 --",
    '',
]


def test_any_name_of_a_channel_is_a_name_of_its_own(store):
    store.save({channel: position(number) for number, channel in enumerate(CHANNELS)})
    assert [store.load(channel).replay_id for channel in CHANNELS] == list(range(len(CHANNELS)))


def test_a_filter_is_no_part_of_the_channel(store):
    store.save({"/topic/Contact?Name='Ada'": position(7)})
    assert store.load('/topic/Contact') == position(7)
    assert store.load('/topic/Contact?Id=003') == position(7)


OWNERS = [
    (ORG, 'contacts'),
    (ORG, 'invoices'),
    (OTHER_ORG, 'contacts'),
    (ORG, 'contacts:positions'),
    (ORG, '{contacts}'),
    (ORG, 'ä'),
    (ORG, '%C3%A4'),
]


@pytest.mark.defect('S6')
def test_services_and_orgs_on_one_store_never_meet(backend):
    stores = [backend.open(*owner) for owner in OWNERS]
    for number, store in enumerate(stores):
        store.save({'/topic/Contact': position(number)})
        store.add_dead_letter(letter(replay_id=number))
    for number, store in enumerate(stores):
        assert store.load('/topic/Contact') == position(number)
        assert [each.replay_id for each in store.dead_letters()] == [number]
        assert store.count_dead_letters() == 1


@pytest.mark.defect('S6')
def test_a_letter_of_another_owner_is_neither_shown_nor_removed(backend):
    mine, others = backend.open(), backend.open(service='invoices')
    others.add_dead_letter(letter())
    [number] = [each.number for each in others.dead_letters()]
    assert mine.dead_letter(number) is None
    assert not mine.remove_dead_letter(number)
    assert others.dead_letter(number) is not None


def test_both_forms_of_an_org_s_id_mean_the_same_org(backend):
    if not backend.lasting:
        pytest.skip('one store is one memory')
    backend.open(ORG[:15]).save({'/a': position()})
    assert backend.open(ORG).load('/a') == position()


def test_another_process_finds_what_was_kept_where_it_lasts(backend):
    store = backend.open()
    assert store.lasting is backend.lasting
    store.save({'/a': position()})
    store.add_dead_letter(letter())
    store.close()
    again = backend.open()
    assert (again.load('/a') is not None) is backend.lasting
    assert again.count_dead_letters() == backend.lasting


def test_a_closed_store_opens_itself_again(store):
    store.save({'/a': position()})
    store.close()
    store.close()
    assert store.load('/a') == position()


# --- dead letters ------------------------------------------------------------------------------------


def test_a_letter_comes_back_as_it_was(store):
    for changes in ({}, {'replay_id': None}, {'replay_id': 'text'}, {'data': None}, {'data': [1, {}]}):
        assert store.add_dead_letter(letter(**changes)) == 0
        [shown] = store.dead_letters(newest_first=True, count=1)
        assert replace(shown, number=None) == letter(**changes)
        assert store.dead_letter(shown.number) == shown


def test_a_handler_that_changes_its_event_later_changes_no_letter(store):
    data = {'a': [1]}
    store.add_dead_letter(letter(data=data))
    data['a'].append(2)
    assert store.dead_letters()[0].data == {'a': [1]}


class Odd:
    def __repr__(self):
        return '<odd>'


class Worse(dict):
    """A row of a session that has ended, say."""

    def __repr__(self):
        raise LookupError('gone')

    items = __repr__


class Shy:
    def __repr__(self):
        raise LookupError('gone')


def nested(depth):
    data = []
    for _ in range(depth):
        data = [data]
    return data


LOOP = []
LOOP.append(LOOP)


@pytest.mark.parametrize(
    ('data', 'kept'),
    [
        ({'a': Odd()}, {'a': '<odd>'}),
        ({1: 2}, {'1': 2}),
        ({(1, 2): 3}, '{(1, 2): 3}'),
        (LOOP, '[[...]]'),
        ({'a': {1}}, {'a': '{1}'}),
        ({'a': Shy()}, {'a': '<Shy that cannot be shown: LookupError>'}),
        ({(1, 2): Shy()}, '<dict that cannot be shown: LookupError>'),
        (Worse(a=1), '<Worse that cannot be shown: LookupError>'),
        (nested(100_000), '<list that cannot be shown: RecursionError>'),
    ],
)
def test_data_that_is_no_json_any_more_is_kept_as_well_as_it_can_be(store, data, kept):
    store.add_dead_letter(letter(data=data))
    assert store.dead_letters()[0].data == kept


def filled(store, channels):
    for number, channel in enumerate(channels):
        store.add_dead_letter(letter(channel, replay_id=number))


def ids(letters):
    return [each.replay_id for each in letters]


def test_letters_are_listed_oldest_or_newest_first(store):
    filled(store, ['/a'] * 5)
    assert ids(store.dead_letters()) == [0, 1, 2, 3, 4]
    assert ids(store.dead_letters(newest_first=True)) == [4, 3, 2, 1, 0]


def test_letters_are_listed_by_channel_whatever_the_filter(store):
    filled(store, ['/a', '/b', '/a?x=1', '/b', '/a'])
    assert ids(store.dead_letters(channel='/a')) == [0, 2, 4]
    assert ids(store.dead_letters(channel='/a?y=2', newest_first=True)) == [4, 2, 0]
    assert store.dead_letters(channel='/c') == []
    assert store.dead_letters()[2].channel == '/a?x=1'


@pytest.mark.parametrize('newest_first', [False, True])
@pytest.mark.parametrize('channel', [None, '/a'])
def test_pages_join_without_a_gap_also_when_letters_go_meanwhile(store, newest_first, channel):
    filled(store, ['/a', '/b'] * 130)
    found, after = [], None
    while page := store.dead_letters(channel=channel, newest_first=newest_first, after=after, count=7):
        found += ids(page)
        after = page[-1].number
        assert store.remove_dead_letter(after)
    expected = list(range(0, 260, 1 if channel is None else 2))
    assert found == (expected[::-1] if newest_first else expected)


@pytest.mark.parametrize('number', ['', 'x', '-', '1-', '-1', '1-x', '9' * 40, f'{2**64}-0', '٣', "1'"])
def test_what_is_no_number_of_a_letter_is_none_s(store, number):
    filled(store, ['/a'])
    assert store.dead_letter(number) is None
    assert not store.remove_dead_letter(number)
    with pytest.raises(ValueError):
        store.dead_letters(after=number)


def test_a_removed_letter_is_gone_and_its_number_is_not_given_again(store):
    filled(store, ['/a', '/a'])
    first, second = store.dead_letters()
    assert store.remove_dead_letter(second.number)
    assert not store.remove_dead_letter(second.number)
    assert store.dead_letter(second.number) is None
    filled(store, ['/a'])
    numbers = [each.number for each in store.dead_letters()]
    assert numbers[0] == first.number
    assert second.number not in numbers


def test_the_oldest_letters_go_for_the_bound_and_that_is_told(backend):
    store = backend.open(dead_letter_limit=3)
    assert [store.add_dead_letter(letter(replay_id=number)) for number in range(5)] == [0, 0, 0, 1, 1]
    assert ids(store.dead_letters()) == [2, 3, 4]
    assert store.count_dead_letters() == 3


def test_a_bound_that_was_lowered_is_told_in_full(backend):
    if not backend.lasting:
        pytest.skip('one store is one memory')
    filled(backend.open(), ['/a'] * 5)
    assert backend.open(dead_letter_limit=2).add_dead_letter(letter(replay_id=5)) == 4


def test_the_bound_is_that_of_one_service(backend):
    one, other = backend.open(dead_letter_limit=1), backend.open(service='invoices', dead_letter_limit=1)
    assert one.add_dead_letter(letter()) == other.add_dead_letter(letter()) == 0


# --- against a dict ----------------------------------------------------------------------------------

channels = st.sampled_from([*CHANNELS[:5], '/topic/Contact?x=1'])


class Agreement(RuleBasedStateMachine):
    """Two services on one store do what two dicts and two lists would."""

    numbers = Bundle('numbers')
    backend = None  # set by the test

    @initialize(limit=st.integers(1, 4))
    def begin(self, limit):
        self.limit = limit
        self.names = [f'service-{next(SERIAL)}' for _ in range(2)]
        self.stores = [self._open(which) for which in (0, 1)]
        self.positions = [{}, {}]
        self.letters = [[], []]

    def _open(self, which):
        return self.backend.open(service=self.names[which], dead_letter_limit=self.limit)

    @rule(which=st.integers(0, 1), saved=st.dictionaries(channels, positions, max_size=3))
    def save(self, which, saved):
        self.stores[which].save(saved)
        self.positions[which].update({channel_name(channel): each for channel, each in saved.items()})

    @rule(which=st.integers(0, 1), channel=channels, replay_id=st.none() | replay_ids)
    def add(self, which, channel, replay_id):
        added = letter(channel, replay_id=replay_id)
        self.letters[which].append(added)
        dropped = self.letters[which][: -self.limit]
        assert self.stores[which].add_dead_letter(added) == len(dropped)
        del self.letters[which][: len(dropped)]

    @rule(which=st.integers(0, 1), place=st.integers(0, 3))
    def remove(self, which, place):
        shown = self.stores[which].dead_letters()
        if place < len(shown):
            assert self.stores[which].remove_dead_letter(shown[place].number)
            del self.letters[which][place]

    @rule(which=st.integers(0, 1), channel=channels, newest_first=st.booleans(), count=st.integers(1, 3))
    def look(self, which, channel, newest_first, count):
        expected = [
            each for each in self.letters[which] if channel_name(each.channel) == channel_name(channel)
        ]
        expected = expected[::-1] if newest_first else expected
        shown = self.stores[which].dead_letters(channel=channel, newest_first=newest_first, count=count)
        assert unnumbered(shown) == expected[:count]

    @rule(which=st.integers(0, 1))
    def reopen(self, which):
        if self.backend.lasting:
            self.stores[which].close()
            self.stores[which] = self._open(which)

    @invariant()
    def agrees(self):
        for which, store in enumerate(getattr(self, 'stores', ())):
            for channel in CHANNELS[:5]:
                assert store.load(channel) == self.positions[which].get(channel_name(channel))
            assert unnumbered(store.dead_letters()) == self.letters[which]


SERIAL = iter(range(10**9))


def test_any_sequence_of_calls_agrees_with_dicts(backend):
    machine = type('Agreement', (Agreement,), {'backend': backend})
    run_state_machine_as_test(
        machine, settings=settings(max_examples=25, stateful_step_count=15, deadline=None)
    )


# --- names and texts ---------------------------------------------------------------------------------


@given(st.text(st.characters(codec=None)), st.text(st.characters(codec=None)))
def test_different_names_stay_different_and_are_safe(one, other):
    assert (safe_name(one) == safe_name(other)) == (one == other)
    assert safe_name(one).isascii()
    assert not set(safe_name(one)) & set(' :{}?*\'"\\\n\r\t\x00')


def test_plain_names_stay_readable():
    assert channel_name('/topic/Low_Ink__e?a=1') == '/topic/Low_Ink__e'
    assert Owner(ORG, 'contacts').key == f'{ORG}:contacts'


@pytest.mark.parametrize('owner', [('', 'contacts'), ('00D', 'contacts'), (ORG, '')])
def test_an_owner_has_an_org_and_a_name(owner):
    with pytest.raises(ValueError):
        Owner(*owner)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.builds(
        letter, data=st.recursive(st.none() | st.integers() | st.text(st.characters(codec=None)), st.lists)
    )
)
def test_a_letter_survives_its_text(written):
    text = letter_to_json(written)
    assert letter_from_json(text, '5') == replace(written, number='5')
    assert text.isascii()


def test_a_letter_of_a_later_version_is_read_if_it_only_says_more():
    said = json.loads(letter_to_json(letter()))
    assert letter_from_json(json.dumps({**said, 'more': 1}), '5') == letter(number='5')
    with pytest.raises(ValueError, match='this version'):
        letter_from_json(json.dumps({**said, 'v': 2}), '5')


@pytest.mark.parametrize('left', ['v', 'channel', 'handler', 'data', 'error', 'attempts', 'first_at'])
def test_what_is_no_letter_is_never_taken_for_one(left):
    said = json.loads(letter_to_json(letter()))
    del said[left]
    with pytest.raises(ValueError):
        letter_from_json(json.dumps(said), '5')


@pytest.mark.parametrize(
    'text',
    [
        '',
        '7',
        'nonsense',
        '[' * 100_000,
        json.dumps({**json.loads(letter_to_json(letter())), 'first_at': 10**400}),
    ],
    ids=lambda text: text[:9],
)
def test_what_is_no_text_of_a_letter_is_refused(text):
    with pytest.raises(ValueError):
        letter_from_json(text, '5')


def test_what_cannot_be_read_is_a_failure_of_the_store():
    assert issubclass(StoreUnreadable, StoreFailed)


def test_a_memory_is_a_place_too():
    assert MemoryStore().place == 'memory'


@pytest.mark.parametrize(
    'count', [0, -1, 2**31, 10**400, True, 1.5, None, '1'], ids=lambda each: str(each)[:9]
)
def test_a_page_of_no_size_is_refused(store, count):
    store.add_dead_letter(letter())
    with pytest.raises(ValueError, match='count is a whole number above 0'):
        store.dead_letters(count=count)
    assert len(store.dead_letters(count=2**31 - 1)) == 1
