from dataclasses import fields

import pytest
from fake_salesforce.settings import PROFILES, VANILLA, BrokerSettings


def test_vanilla_has_the_defaults_of_the_reference_server():
    assert PROFILES['vanilla'] is VANILLA
    assert (VANILLA.timeout, VANILLA.interval, VANILLA.max_interval) == (30.0, 0.0, 10.0)
    assert (VANILLA.multi_session_interval, VANILLA.max_lazy_timeout) == (2.0, 5.0)
    assert (VANILLA.max_sessions_per_browser, VANILLA.overtaken_status) == (1, 500)


def test_changes_make_new_settings_and_leave_the_old_ones():
    changed = VANILLA.changed({'timeout': 5, 'lazy_channels': ['/a'], 'deny_subscribe': {'/x': 'secret'}})
    assert changed.timeout == 5.0
    assert isinstance(changed.timeout, float)
    assert changed.lazy_channels == ('/a',)
    assert changed.deny_subscribe == {'/x': 'secret'}
    assert VANILLA.timeout == 30.0


def test_all_problems_are_named_at_once():
    with pytest.raises(ValueError, match=r"nope: no such setting; timeout: 'x' is not a number of seconds"):
        VANILLA.changed({'nope': 1, 'timeout': 'x'})


@pytest.mark.parametrize(
    ('name', 'value'),
    [
        ('timeout', True),
        ('timeout', 1e10),
        ('trust_client_id', 1),
        ('overtaken_status', 500.0),
        ('overtaken_status', True),
        ('cookie_name', None),
        ('lazy_channels', '/a'),
        ('lazy_channels', [1]),
        ('deny_publish', {'/a': 1}),
        ('deny_publish', []),
    ],
)
def test_values_of_the_wrong_type_are_refused(name, value):
    with pytest.raises(ValueError, match=f'{name}: .* is not '):
        VANILLA.changed({name: value})


def test_every_field_can_be_changed_to_its_own_value():
    same = {one.name: getattr(VANILLA, one.name) for one in fields(BrokerSettings)}
    assert VANILLA.changed(same) == VANILLA
