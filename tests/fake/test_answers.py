import math

import pytest
from fake_salesforce import answers
from fake_salesforce.settings import VANILLA


@pytest.mark.parametrize(
    ('wire', 'expected'),
    [(0, 0.0), (1500, 1.5), (2.5, 0.0025), (-1, None), (True, None), ('5', None), (None, None)]
    + [(math.nan, None), (math.inf, None), (10**400, None)],
)
def test_durations_from_clients_are_milliseconds_or_nothing(wire, expected):
    assert answers.seconds(wire) == expected


def test_advice_is_milliseconds():
    advice = answers.advice_of(VANILLA, None)
    assert advice == {'reconnect': 'retry', 'interval': 0, 'timeout': 30000}
    assert answers.advice_of(VANILLA, 0.25)['interval'] == 250


def test_advice_holds_the_max_interval_on_request():
    assert answers.advice_of(VANILLA.changed({'send_max_interval': True}), None)['maxInterval'] == 10000


@pytest.mark.parametrize(('sent', 'echoed'), [('a1', 'a1'), (7, '7'), (['x'], ['x'])])
def test_ids_are_echoed_and_numbers_become_strings(sent, echoed):
    assert answers.reply_to({'channel': '/a', 'id': sent}, VANILLA)['id'] == echoed


def test_numeric_ids_keep_their_type_on_request():
    settings = VANILLA.changed({'numeric_ids_as_strings': False})
    assert answers.reply_to({'channel': '/a', 'id': 7}, settings)['id'] == 7


def test_a_request_without_id_gets_a_reply_without_id():
    assert answers.reply_to({'channel': '/a', 'data': 1}, VANILLA) == {'channel': '/a'}


@pytest.mark.parametrize(
    ('message', 'error'),
    [
        ({}, '400::channel_missing'),
        ({'channel': 'x'}, '405::channel_invalid'),
        ({'channel': ''}, '405::channel_invalid'),
        ({'channel': 5}, '405::channel_invalid'),
        ({'channel': '/a', 'id': 'a-b'}, '405::message_id_invalid'),
        ({'channel': '/a', 'id': ''}, '405::message_id_invalid'),
        ({'channel': '/a', 'id': 1.5}, '405::message_id_invalid'),
        ({'channel': '/a', 'id': True}, '405::message_id_invalid'),
        ({'channel': '/a', 'id': {}}, '405::message_id_invalid'),
        ({'channel': '/a', 'id': 15}, None),
        ({'channel': '/a', 'id': None}, None),
    ],
)
def test_messages_are_validated_in_the_order_of_the_reference_server(message, error):
    assert answers.validate(message) == error


@pytest.mark.parametrize(
    ('channel', 'advised'), [('/meta/connect', True), ('/meta/subscribe', False), ('/a', False)]
)
def test_only_connect_replies_say_what_to_do_about_an_unknown_session(channel, advised):
    reply = {'channel': channel}
    answers.refuse(reply, '402::session_unknown')
    assert reply['successful'] is False
    assert ('advice' in reply) is advised
