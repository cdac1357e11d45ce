from dataclasses import fields

import pytest
from fake_salesforce.settings import PROFILES, SALESFORCE, VANILLA


def test_vanilla_has_the_defaults_of_the_reference_server():
    assert PROFILES['vanilla'] is VANILLA
    assert (VANILLA.timeout, VANILLA.interval, VANILLA.max_interval) == (30.0, 0.0, 10.0)
    assert (VANILLA.multi_session_interval, VANILLA.max_lazy_timeout) == (2.0, 5.0)
    assert (VANILLA.max_sessions_per_browser, VANILLA.overtaken_status) == (1, 500)


def test_salesforce_has_the_numbers_of_its_documentation():
    assert PROFILES['salesforce'] is SALESFORCE
    assert (SALESFORCE.timeout, SALESFORCE.interval, SALESFORCE.max_interval) == (110.0, 0.0, 40.0)
    assert (SALESFORCE.retention_topics, SALESFORCE.retention_events) == (24 * 3600.0, 72 * 3600.0)
    assert (SALESFORCE.client_limit, SALESFORCE.daily_event_limit) == (2000, 1_000_000)
    assert (SALESFORCE.request_limit, SALESFORCE.routing_cookie_ttl) == (32_768, 3 * 3600.0)


def test_a_profile_knows_its_own_fields_only():
    assert SALESFORCE.changed({'busy': ['/meta/connect']}).busy == ('/meta/connect',)
    with pytest.raises(ValueError, match='busy: no such setting'):
        VANILLA.changed({'busy': []})


def test_a_changed_setting_keeps_its_kind():
    assert SALESFORCE.changed({'timeout': 1}).profile == 'salesforce'


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


def test_what_can_never_be_busy_is_no_silent_setting():
    with pytest.raises(ValueError, match='busy is made of /meta/handshake, /meta/connect, /meta/subscribe'):
        SALESFORCE.changed({'busy': ['connect']})


@pytest.mark.parametrize('settings', PROFILES.values(), ids=PROFILES)
def test_every_field_can_be_changed_to_its_own_value(settings):
    same = {one.name: getattr(settings, one.name) for one in fields(settings)}
    assert settings.changed(same) == settings
