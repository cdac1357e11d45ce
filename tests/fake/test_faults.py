"""The fault schedule and what each fault does to an answer."""

import json

import pytest
from fake_salesforce.answers import Answer
from fake_salesforce.faults import (
    Ending,
    Fault,
    FaultKind,
    FaultSchedule,
    Wire,
    damage,
    fault_from_json,
    harm,
    render,
)

EVENT = {'channel': '/t/a', 'data': 1, 'id': 'e'}
REPLY = {'channel': '/meta/connect', 'id': '3', 'successful': True}
ANSWER = Answer(200, [EVENT, REPLY], 'BAYEUX_BROWSER=x; Path=/; HttpOnly')


def decoded(fault):
    wire = damage(fault, ANSWER)
    assert wire.length == len(wire.body)
    return json.loads(wire.body)


# --- which request is struck ------------------------------------------------------------------------


def test_a_fault_strikes_the_next_request_once():
    schedule = FaultSchedule()
    fault = Fault(FaultKind.EMPTY)
    assert schedule.add(fault) == 1
    assert schedule.strike(['/a']) == fault
    assert schedule.strike(['/a']) is None
    assert schedule.listed()[0]['struck'] == 1


def test_a_fault_counts_only_requests_on_its_channel():
    schedule = FaultSchedule()
    schedule.add(Fault(FaultKind.EMPTY, channel='/meta/connect', nth=2, count=2))
    requests = ['/meta/connect', '/meta/subscribe', '/meta/connect', '/a', '/meta/connect', '/meta/connect']
    struck = [schedule.strike([channel]) is not None for channel in requests]
    assert struck == [False, False, True, False, True, False]


@pytest.mark.parametrize(('pattern', 'expected'), [('/meta/*', True), ('/**', True), ('/t/*', False)])
def test_a_channel_can_be_a_pattern(pattern, expected):
    schedule = FaultSchedule()
    schedule.add(Fault(FaultKind.EMPTY, channel=pattern))
    assert (schedule.strike([None, 5, '/meta/connect']) is not None) is expected


def test_a_fault_can_strike_for_ever():
    schedule = FaultSchedule()
    schedule.add(Fault(FaultKind.EMPTY, count=None))
    assert all(schedule.strike([]) is not None for _ in range(50))


def test_the_first_fault_added_strikes_alone_and_the_others_go_on_counting():
    schedule = FaultSchedule()
    schedule.add(Fault(FaultKind.EMPTY))
    schedule.add(Fault(FaultKind.HTML, nth=2))
    assert [schedule.strike(['/a']).kind for _ in range(2)] == [FaultKind.EMPTY, FaultKind.HTML]


def test_a_fault_without_a_channel_is_for_messages_alone():
    schedule = FaultSchedule()
    schedule.add(Fault(FaultKind.EMPTY))
    assert schedule.strike(['rest', '/services/data'], unnamed=False) is None
    assert schedule.strike(['/a']) is not None


@pytest.mark.parametrize('channel', ['rest', '/services/data/v67.0/limits', '/services/data/**'])
def test_a_fault_can_name_a_kind_of_request_or_its_path(channel):
    schedule = FaultSchedule()
    schedule.add(Fault(FaultKind.EMPTY, channel=channel))
    assert schedule.strike(['login', '/services/oauth2/token'], unnamed=False) is None
    assert schedule.strike(['rest', '/services/data/v67.0/limits'], unnamed=False) is not None


MESSAGES_ALONE = {
    FaultKind.REORDER,
    FaultKind.DUPLICATE,
    FaultKind.DUPLICATE_EVENTS,
    FaultKind.NO_CHANNEL,
    FaultKind.NO_SUCCESSFUL,
    FaultKind.NO_ID,
    FaultKind.OBJECT,
    FaultKind.SERVER_DISCONNECT,
}


@pytest.mark.parametrize('kind', FaultKind)
def test_any_answer_can_be_struck_unless_the_fault_is_about_messages(kind):
    struck = harm(Fault(kind), Wire(200, b'body', 4))
    assert (struck is None) == (kind in MESSAGES_ALONE)


def test_cleared_faults_strike_no_more():
    schedule = FaultSchedule()
    schedule.add(Fault(FaultKind.EMPTY, count=None))
    schedule.clear()
    assert schedule.strike(['/a']) is None
    assert schedule.listed() == []


# --- faults as JSON ---------------------------------------------------------------------------------


@pytest.mark.parametrize('kind', FaultKind)
def test_every_fault_has_a_json_form(kind):
    fault = Fault(kind, channel='/a', nth=2, count=None, seconds=1.5, retry_after=7)
    assert fault_from_json(json.loads(json.dumps(fault.as_json()))) == fault


@pytest.mark.parametrize(
    ('value', 'problem'),
    [
        ([], 'a fault is an object'),
        ({}, 'kind is one of drop_before, '),
        ({'kind': 'nope'}, 'kind is one of'),
        ({'kind': 'empty', 'chanel': '/a'}, 'unknown: chanel; a fault has kind, channel'),
        ({'kind': 'empty', 'nth': '1'}, "nth: '1' is not int"),
        ({'kind': 'empty', 'nth': True}, 'nth: True is not int'),
        ({'kind': 'empty', 'count': 'x'}, 'count: .* is not int or NoneType'),
        ({'kind': 'empty', 'nth': 0}, 'begin at 1'),
        ({'kind': 'empty', 'count': 0}, 'begin at 1'),
        ({'kind': 'delay', 'seconds': -1}, 'seconds are from 0'),
        ({'kind': 'delay', 'seconds': 10**400}, 'seconds are from 0'),
        ({'kind': 'drip', 'seconds': 1e9}, 'seconds are from 0'),
        ({'kind': 'drip', 'seconds': float('nan')}, 'seconds are from 0'),
        ({'kind': 'truncate', 'bytes': -1}, 'bytes are not negative'),
        ({'kind': 'status', 'status': 99}, 'status is from 200'),
    ],
)
def test_unusable_faults_are_refused_with_a_reason(value, problem):
    with pytest.raises(ValueError, match=problem):
        fault_from_json(value)


# --- what a client sees -----------------------------------------------------------------------------


def test_an_unharmed_answer_is_json_with_its_cookie():
    wire = render(ANSWER)
    assert json.loads(wire.body) == [EVENT, REPLY]
    assert wire.headers == {
        'Content-Type': 'application/json;charset=UTF-8',
        'Set-Cookie': 'BAYEUX_BROWSER=x; Path=/; HttpOnly',
    }
    assert (wire.status, wire.length, wire.ending) == (200, len(wire.body), Ending.COMPLETE)


def test_an_answer_without_messages_has_no_body():
    wire = render(Answer(500))
    assert (wire.status, wire.body, wire.length) == (500, b'', 0)


def test_a_lone_surrogate_is_written_as_an_escape():
    assert b'\\ud800' in render(Answer(200, [{'data': '\ud800'}])).body


@pytest.mark.parametrize(
    ('kind', 'reaches'),
    [
        (FaultKind.DROP_BEFORE, False),
        (FaultKind.DROP_AFTER, True),
        (FaultKind.STATUS, False),
        (FaultKind.HTML, False),
        (FaultKind.EMPTY, True),
        (FaultKind.NEVER, True),
    ],
)
def test_whether_the_broker_sees_the_request_depends_on_the_kind(kind, reaches):
    assert Fault(kind).reaches_broker is reaches


def test_whether_the_broker_sees_the_request_can_be_chosen_except_where_the_name_says_it():
    assert Fault(FaultKind.STATUS, processed=True).reaches_broker
    assert not Fault(FaultKind.NEVER, processed=False).reaches_broker
    assert not Fault(FaultKind.DROP_BEFORE, processed=True).reaches_broker
    assert Fault(FaultKind.DROP_AFTER, processed=False).reaches_broker


@pytest.mark.parametrize(
    ('kind', 'ending'),
    [
        (FaultKind.DROP_BEFORE, Ending.CLOSED),
        (FaultKind.DROP_AFTER, Ending.CLOSED),
        (FaultKind.RESET, Ending.RESET),
        (FaultKind.NEVER, Ending.NEVER),
        (FaultKind.GARBAGE, Ending.CLOSED),
    ],
)
def test_some_faults_leave_nothing_of_http(kind, ending):
    wire = damage(Fault(kind), ANSWER)
    assert (wire.status, wire.ending) == (None, ending)
    assert b'channel' not in wire.body


def test_a_truncated_body_is_shorter_than_promised():
    wire = damage(Fault(FaultKind.TRUNCATE, bytes=10), ANSWER)
    assert (len(wire.body), wire.length) == (10, len(render(ANSWER).body))
    assert wire.ending is Ending.CLOSED
    nearly = damage(Fault(FaultKind.TRUNCATE, bytes=10_000), ANSWER)
    assert len(nearly.body) == nearly.length - 1


def test_delay_and_drip_take_their_seconds():
    assert damage(Fault(FaultKind.DELAY, seconds=2.0), ANSWER).delay == 2.0
    drip = damage(Fault(FaultKind.DRIP, seconds=0.1), ANSWER)
    assert (drip.pace, drip.body) == (0.1, render(ANSWER).body)


def test_html_empty_and_status():
    html = damage(Fault(FaultKind.HTML), None)
    assert (html.status, html.headers['Content-Type'][:9], html.body[:9]) == (200, 'text/html', b'<!DOCTYPE')
    empty = damage(Fault(FaultKind.EMPTY), ANSWER)
    assert (empty.status, empty.body, empty.length) == (200, b'', 0)
    status = damage(Fault(FaultKind.STATUS, status=429, retry_after=30), None)
    assert (status.status, status.headers['Retry-After']) == (429, '30')
    assert 'Retry-After' not in damage(Fault(FaultKind.STATUS), None).headers


def test_faults_that_change_the_messages():
    assert decoded(Fault(FaultKind.REORDER)) == [REPLY, EVENT]
    assert decoded(Fault(FaultKind.DUPLICATE)) == [EVENT, REPLY, EVENT, REPLY]
    assert decoded(Fault(FaultKind.OBJECT)) == REPLY


@pytest.mark.parametrize(
    ('kind', 'field'),
    [(FaultKind.NO_CHANNEL, 'channel'), (FaultKind.NO_SUCCESSFUL, 'successful'), (FaultKind.NO_ID, 'id')],
)
def test_replies_can_lack_a_field_while_events_stay_whole(kind, field):
    event, reply = decoded(Fault(kind))
    assert event == EVENT
    assert reply == {name: value for name, value in REPLY.items() if name != field}


def test_the_disconnect_of_salesforce_is_bare_and_has_a_failed_connect_beside_it():
    assert decoded(Fault(FaultKind.SERVER_DISCONNECT, error='401::Authentication invalid')) == [
        {'channel': '/meta/disconnect'},
        {
            'channel': '/meta/connect',
            'successful': False,
            'error': '401::Authentication invalid',
            'advice': {'reconnect': 'none', 'interval': 0},
            'id': '3',
        },
    ]


@pytest.mark.parametrize('kind', FaultKind)
@pytest.mark.parametrize('answer', [None, Answer(500), Answer(200, [])])
def test_every_fault_can_strike_every_answer(kind, answer):
    wire = damage(Fault(kind), answer)
    assert len(wire.body) <= max(wire.length, 100)
