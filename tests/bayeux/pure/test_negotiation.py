"""What a handshake reply agrees to."""

import pytest

from nameko_salesforce.bayeux.messages import Reply
from nameko_salesforce.bayeux.negotiation import granted_ack, objection


def reply(**fields):
    return Reply('/meta/handshake', successful=True, **{'client_id': 'c', **fields})


@pytest.mark.parametrize(
    'fields',
    [
        {},
        {'version': '1.0', 'minimum_version': '1.0', 'connection_types': ('websocket', 'long-polling')},
        {'version': '1.1'},
        {'version': '1.0beta'},
        {'minimum_version': '0.9'},
        {'version': '0.' + '9' * 5000},
        {'minimum_version': '1.' + '9' * 5000},
    ],
)
def test_agreement(fields):
    assert objection(reply(**fields), '1.0', '1.0') == ''


@pytest.mark.parametrize(
    ('fields', 'text'),
    [
        ({'connection_types': ('websocket', 'callback-polling')}, 'only: websocket, callback-polling'),
        ({'version': '0.9'}, 'Bayeux 0.9; at least 1.0'),
        ({'minimum_version': '1.1'}, 'Bayeux 1.1; this is 1.0'),
    ],
)
def test_objections_name_what_is_wrong(fields, text):
    assert text in objection(reply(**fields), '1.0', '1.0')


@pytest.mark.parametrize(
    ('ext', 'batch'),
    [
        (None, None),
        ({}, None),
        ({'ack': True}, 0),
        ({'ack': False}, None),
        ({'ack': {'enabled': True, 'batch': 3}}, 3),
        ({'ack': {'enabled': False, 'batch': 3}}, None),
        ({'ack': {'enabled': True}}, None),
        ({'ack': 'yes'}, None),
    ],
)
def test_the_ack_extension_is_on_only_when_granted(ext, batch):
    assert granted_ack(reply(ext=ext)) == batch
