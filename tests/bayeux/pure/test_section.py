"""One section, read by a table of keys. What the readers take is tested with the sections that use them."""

from types import SimpleNamespace

import pytest

from nameko_salesforce.bayeux import section
from nameko_salesforce.bayeux.backoff import Backoff
from nameko_salesforce.bayeux.section import CLIENT_KEYS, Key, client_options, configuration_of, read_section

KEYS = {
    'NAME': Key('person', 'name', section.text),
    'AGE': Key('person', 'age', section.whole),
    'OPEN': Key('shop', 'open', section.flag),
}


def test_values_go_to_their_parts_and_every_part_is_there():
    assert read_section({'NAME': 'Ada', 'AGE': 36}, KEYS) == (
        {'person': {'name': 'Ada', 'age': 36}, 'shop': {}},
        [],
    )


def test_a_section_without_keys_has_no_problems():
    assert read_section({}, KEYS) == ({'person': {}, 'shop': {}}, [])


def test_problems_come_in_the_order_of_the_section_and_the_good_keys_are_read():
    parts, problems = read_section({'AGE': 'hidden', 'nmae': 'hidden', 'OPEN': True, 'NAME': None}, KEYS)
    assert parts == {'person': {}, 'shop': {'open': True}}
    assert problems == [
        'AGE has to be a whole number above 0',
        'nmae is not known (did you mean NAME?)',
        'NAME is empty, it has to be a text',
    ]


def test_a_key_that_is_no_text_is_reported_as_unknown():
    assert read_section({7: 'hidden'}, KEYS)[1] == ['7 is not known']
    assert read_section({10**5000: 'hidden'}, KEYS)[1] == ['a int that cannot be shown is not known']
    assert len(read_section({'x' * 10**6: 'hidden'}, KEYS)[1][0]) < 200


def test_the_allowance_reaches_session_and_transport():
    parts, problems = read_section({'NETWORK_ALLOWANCE': 3}, CLIENT_KEYS)
    session, transport = client_options(parts, problems)
    assert (session.network_allowance, transport.network_allowance, problems) == (3.0, 3.0, [])


def test_pauses_that_clash_are_a_problem_and_leave_the_default():
    parts, problems = read_section({'BACKOFF_FIRST': 9, 'BACKOFF_CAP': 3}, CLIENT_KEYS)
    session, _ = client_options(parts, problems)
    assert session.backoff == Backoff()
    assert problems == ['BACKOFF_CAP has to be at least BACKOFF_FIRST (1 by default)']


@pytest.mark.parametrize(
    ('of_process', 'expected'), [(None, 'the container'), ({'of': 'the process'}, 'the process')]
)
def test_the_configuration_is_that_of_the_process_where_there_is_one(monkeypatch, of_process, expected):
    monkeypatch.setattr(section, 'nameko_config', of_process)
    assert configuration_of(SimpleNamespace(config={'of': 'the container'}))['of'] == expected
