"""Texts of Salesforce have a code each, and say what they are about."""

import re

import pytest
from fake_salesforce import texts

FIXED = [name for name in texts.__all__ if name.isupper() and name != 'TOO_LARGE']


@pytest.mark.parametrize('name', FIXED)
def test_every_text_has_the_form_of_bayeux_errors(name):
    assert re.fullmatch(r'\d{3}:[a-z_]*:.+', getattr(texts, name))


def test_texts_name_what_they_are_about():
    assert texts.no_such_channel('/topic/X').endswith('does not exist {/topic/X}')
    assert '{82}' in texts.invalid_replay_id(82)
    assert 'channel {/topic/X} ' in texts.not_in_replay_map('/topic/X')
    assert 'map {{}}.' in texts.not_in_replay_map('/topic/X')
    assert texts.invalid_connection_type('websocket') == '400::Invalid connection type websocket'
    assert texts.cookie_missing('x1', 'BAYEUX_BROWSER') == (
        '400::Client x1 has established a session, but no BAYEUX_BROWSER cookie present'
    )
