"""Names that services of version 1.2 import keep their values."""

from nameko_salesforce import constants
from nameko_salesforce.constants import NotifyForFields


def test_names_of_1_2_have_the_values_of_1_2():
    assert constants.CONFIG_KEY == 'SALESFORCE'
    assert constants.CLIENT_ID_CONTEXT_KEY == 'client_id'
    assert constants.REPLAY_ID_CONTEXT_KEY == 'replay_id'
    assert {each.name: each.value for each in NotifyForFields} == {
        'all_': 'All',
        'referenced': 'Referenced',
        'select': 'Select',
        'where': 'Where',
    }


def test_the_version_without_a_setting_is_one_that_salesforce_keeps():
    assert float(constants.DEFAULT_API_VERSION) >= 65
