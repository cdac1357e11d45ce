"""Which events of one handler may run side by side."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nameko_salesforce.events import StreamEvent
from nameko_salesforce.ids import full_id
from nameko_salesforce.streaming.order import BARRIER, Keyless, Line, Order, keys_of

RECORD = '003D000000QYVZh'


def notification(record_id):
    return {'event': {'replayId': 1}, 'sobject': {'Id': record_id, 'Name': 'Ada'}}


def change(*record_ids, kind='UPDATE'):
    return {'payload': {'ChangeEventHeader': {'recordIds': list(record_ids), 'changeType': kind}}}


FIELDS = st.sampled_from(['payload', 'sobject', 'ChangeEventHeader', 'recordIds', 'Id', 'changeType'])
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=3),
)


# --- keys ------------------------------------------------------------------------------------------


def test_a_notification_is_about_its_record():
    assert keys_of(notification(RECORD)) == (RECORD,)
    assert keys_of(StreamEvent(notification(RECORD))) == (RECORD,)


def test_a_change_event_is_about_all_of_its_records():
    assert keys_of(change('001A', '001B')) == ('001A', '001B')
    assert keys_of(change('001A', kind='GAP_UPDATE')) == ('001A',)


def test_ids_of_15_and_18_characters_are_one_record():
    assert keys_of(notification(full_id(RECORD))) == keys_of(notification(RECORD))
    assert keys_of(change(full_id(RECORD))) == keys_of(notification(RECORD))
    assert keys_of({}, lambda _: full_id(RECORD)) == keys_of(notification(RECORD))


def test_an_overflow_and_a_wildcard_are_about_unknown_records():
    assert keys_of(change('000000000000000AAA', kind='GAP_OVERFLOW')) is BARRIER
    assert keys_of(change('001*')) is BARRIER
    assert keys_of(change('001A', '001*')) is BARRIER


@pytest.mark.parametrize(
    'data',
    [
        None,
        'text',
        7,
        [],
        {},
        {'sobject': None},
        {'sobject': {}},
        {'sobject': {'Id': 5}},
        {'payload': 'Broadcast message'},
        {'payload': {'Printer_Model__c': 'XZO-5'}},
        {'payload': {'ChangeEventHeader': None}},
        {'payload': {'ChangeEventHeader': {}}},
        {'payload': {'ChangeEventHeader': {'recordIds': '001A'}}},
        {'payload': {'ChangeEventHeader': {'recordIds': [None, 3, {}]}}},
    ],
)
def test_an_event_without_a_record_is_unordered(data):
    assert keys_of(data) == ()


@given(JSON)
def test_nothing_that_a_server_sends_raises(data):
    keys_of(data)


def test_a_callable_names_the_key_instead():
    event = {'payload': {'Printer__c': 'A', 'Tray__c': 2}}
    assert keys_of(event, lambda data: data['payload']['Printer__c']) == ('A',)
    assert keys_of(event, lambda data: (data['payload']['Printer__c'], 2)) == (('A', 2),)
    assert keys_of(notification(RECORD), lambda data: 0) == (0,)
    assert keys_of(notification(RECORD), lambda data: None) == ()


@pytest.mark.parametrize('text', ['order-000000000001', '0' * 17 + 'A', 'é' * 18])
def test_a_key_that_merely_is_as_long_as_an_id_stays_whole(text):
    assert len(text) == 18
    assert keys_of({}, lambda _: text) == (text,)


def test_a_callable_that_fails_makes_the_event_unordered_and_says_so():
    problem = keys_of({}, lambda data: data['missing'])
    assert isinstance(problem, Keyless)
    assert isinstance(problem.error, KeyError)
    assert isinstance(keys_of({}, lambda data: ['a list']), Keyless)


# --- a line ----------------------------------------------------------------------------------------


def line_of(order, *keys):
    line = Line(order)
    return line, [line.add(name, each) for name, each in zip('abcdefgh', keys, strict=False)]


def taken(line):
    """Contents of all that can be taken now."""
    found = []
    while (place := line.take()) is not None:
        found.append(place)
    return found


def names(places):
    return ''.join(each.content for each in places)


@pytest.mark.defect('S15')
def test_events_of_one_record_go_one_after_another_and_others_beside_them():
    line, _ = line_of(Order.RECORD, ('1',), ('1',), ('2',), ('1',))
    first = taken(line)
    assert names(first) == 'ac'
    a, c = first
    line.end(c)
    assert taken(line) == []
    line.end(a)
    (b,) = taken(line)
    assert b.content == 'b'
    line.end(b)
    assert names(taken(line)) == 'd'


def test_an_event_of_several_records_waits_for_all_of_them():
    line, _ = line_of(Order.RECORD, ('1',), ('2',), ('1', '2'), ('2',), ('3',))
    a, b, e = taken(line)
    assert names([a, b, e]) == 'abe'
    line.end(a)
    assert taken(line) == []
    line.end(b)
    (c,) = taken(line)
    line.end(c)
    assert (c.content, names(taken(line))) == ('c', 'd')


def test_an_event_that_names_a_record_twice_does_not_wait_for_itself():
    line, _ = line_of(Order.RECORD, keys_of(change(RECORD, full_id(RECORD))), (RECORD,))
    (a,) = taken(line)
    line.end(a)
    assert names(taken(line)) == 'b'


def test_a_barrier_waits_for_all_before_it_and_all_behind_it_wait_for_it():
    line, _ = line_of(Order.RECORD, ('1',), (), BARRIER, ('2',), (), BARRIER, ('1',))
    a, b = taken(line)
    assert names([a, b]) == 'ab'
    line.end(a)
    assert taken(line) == []
    line.end(b)
    (c,) = taken(line)
    assert c.content == 'c'
    line.end(c)
    d, e = taken(line)
    assert names([d, e]) == 'de'
    line.end(d)
    line.end(e)
    (f,) = taken(line)
    line.end(f)
    assert (f.content, names(taken(line))) == ('f', 'g')


def test_a_barrier_that_is_over_holds_nobody_up():
    line, _ = line_of(Order.RECORD, BARRIER)
    line.end(line.take())
    line.add('b', ('1',))
    line.add('c', BARRIER)
    (b,) = taken(line)
    line.end(b)
    assert names(taken(line)) == 'c'


def test_events_without_keys_go_side_by_side():
    line, _ = line_of(Order.RECORD, (), (), Keyless(ValueError()))
    assert names(taken(line)) == 'abc'


def test_a_channel_in_order_has_one_event_at_a_time():
    line, _ = line_of(Order.CHANNEL, ('1',), (), BARRIER, Keyless(ValueError()))
    seen = ''
    while places := taken(line):
        (place,) = places
        seen += place.content
        line.end(place)
    assert seen == 'abcd'


def test_without_order_nothing_waits():
    line, _ = line_of(Order.NONE, ('1',), ('1',), BARRIER, ('1',))
    assert names(taken(line)) == 'abcd'


def test_the_orders_are_those_of_the_decorators():
    assert [Order('record'), Order('channel'), Order(None)] == list(Order)


# --- batches ---------------------------------------------------------------------------------------


def test_a_batch_holds_events_of_one_record_in_the_order_of_arrival():
    line, _ = line_of(Order.RECORD, ('1',), ('2',), ('1',), ('2', '1'), ('3',))
    batch = line.take_batch(4)
    assert names(batch) == 'abcd'
    assert names(line.take_batch(4)) == 'e'


def test_a_batch_holds_nothing_that_waits_for_an_event_outside_it():
    line, _ = line_of(Order.RECORD, ('1',), ('2',), ('1', '2'), ('1',), ('2',))
    a = line.take()
    batch = line.take_batch(10)
    assert names(batch) == 'b'
    line.end(a)
    assert line.take_batch(10) == []
    line.end(batch[0])
    assert names(line.take_batch(10)) == 'cde'


def test_a_batch_of_a_channel_in_order_holds_what_waits():
    line, _ = line_of(Order.CHANNEL, *[()] * 5)
    first = line.take_batch(3)
    assert names(first) == 'abc'
    assert line.take_batch(3) == []
    for place in first:
        line.end(place)
    assert names(line.take_batch(3)) == 'de'


def test_a_batch_is_in_the_order_of_arrival_also_where_that_is_not_the_order_of_release():
    line, _ = line_of(Order.RECORD, ('1',), ('1',), ('2',))
    line.end(line.take())
    assert names(line.take_batch(2)) == 'bc'


def test_a_batch_may_go_through_a_barrier():
    line, _ = line_of(Order.RECORD, ('1',), BARRIER, ('1',), ('2',))
    assert names(line.take_batch(3)) == 'abc'
    assert line.free == 0


def test_a_part_of_a_batch_is_free_once_what_it_follows_is_over():
    line, _ = line_of(Order.RECORD, ('1',), ('2',), ('1',), ('1',), ('2',))
    a, b, c, d, e = line.take_batch(5)
    assert line.is_free([a, b])
    assert not line.is_free([c, d, e])
    assert not line.is_free([e])
    line.end(a)
    assert line.is_free([c, d])
    assert not line.is_free([c, d, e])
    line.end(b)
    assert line.is_free([c, d, e])


# --- against a naive list --------------------------------------------------------------------------

KEYS = st.one_of(st.lists(st.sampled_from('1234'), max_size=3).map(tuple), st.just(BARRIER))


def conflict(one, other):
    """Whether the later of two events has to wait for the earlier one."""
    return one is BARRIER or other is BARRIER or bool(set(one) & set(other))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_line_lets_go_exactly_what_no_earlier_event_stands_against(data):
    line, events, batch = Line(Order.RECORD), [], data.draw(st.booleans())
    for _ in range(data.draw(st.integers(1, 40))):
        step = data.draw(st.sampled_from(['add', 'add', 'take', 'end']))
        if step == 'add':
            keys = data.draw(KEYS)
            place = line.add(len(events), keys)
            events.append({'keys': keys, 'place': place, 'state': 'waiting'})
        elif step == 'take' and batch:
            limit = data.draw(st.integers(1, 5))
            got = [each.content for each in line.take_batch(limit)]
            assert got == sorted(got)
            assert len(got) <= limit
            for number in got:
                earlier = [
                    other
                    for other in range(number)
                    if events[other]['state'] != 'ended'
                    and conflict(events[other]['keys'], events[number]['keys'])
                ]
                assert set(earlier) <= set(got)
                assert events[number]['state'] == 'waiting'
            if not got:
                assert free(events) == set()
            for number in got:
                events[number]['state'] = 'taken'
        elif step == 'take':
            place = line.take()
            assert (place is None) == (free(events) == set())
            if place is not None:
                assert place.content in free(events)
                events[place.content]['state'] = 'taken'
        else:
            under_way = [each for each in events if each['state'] == 'taken']
            # Of a batch, its first events end first.
            able = [each for each in under_way if line.is_free([each['place']])]
            if able:
                chosen = data.draw(st.sampled_from(able))
                line.end(chosen['place'])
                chosen['state'] = 'ended'
        assert line.free == len(free(events))
        assert line.waiting == sum(each['state'] == 'waiting' for each in events)
        assert line.taken == sum(each['state'] == 'taken' for each in events)


def free(events):
    """Numbers of those that wait, and for no earlier one."""
    return {
        number
        for number, event in enumerate(events)
        if event['state'] == 'waiting'
        and not any(
            other['state'] != 'ended' and conflict(other['keys'], event['keys']) for other in events[:number]
        )
    }


# --- cost ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    'keys',
    [
        pytest.param(lambda n: (n % 7,), id='few records'),
        pytest.param(lambda n: (n % 5000,), id='many records'),
        pytest.param(lambda n: (0,), id='one record'),
        pytest.param(lambda n: (n, n + 1), id='chained'),
        pytest.param(lambda n: BARRIER if n % 9 == 0 else (n,), id='barriers'),
    ],
)
def test_an_event_costs_the_same_however_many_wait(keys):
    def cost(count, batch):
        line, begun = Line(Order.RECORD), time.process_time()
        for number in range(count):
            line.add(number, keys(number))
        while True:
            places = line.take_batch(500) if batch else [line.take()]
            if not places or places[0] is None:
                break
            for place in places:
                line.end(place)
        assert line.waiting == line.taken == 0
        return (time.process_time() - begun) / count

    for batch in (False, True):
        few = min(cost(2_000, batch) for _ in range(5))
        # Ten: a cost that grew with the number would be 50 times as high; collector and caches take a share.
        assert cost(100_000, batch) < 10 * few
