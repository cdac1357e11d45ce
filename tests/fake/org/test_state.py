import copy
from random import Random

from fake_salesforce.org.standard import standard_schema
from fake_salesforce.org.state import new_state


def test_a_new_org_has_an_id_and_nothing_else():
    state = new_state(standard_schema(), Random(1))
    assert state.organization_id.startswith('00D')
    assert len(state.organization_id) == 18
    assert list(state.users) == []
    assert (state.apps, state.topics, state.channels, state.change_data_capture) == ({}, {}, {}, set())
    assert state.max_push_topics == 40


def test_a_copy_is_independent():
    state = new_state(standard_schema(), Random(1))
    other = copy.deepcopy(state)
    contact = other.schema.find('Contact')
    other.records.put(contact, {'Id': '003tp00000Xf61QAAR', 'IsDeleted': False})
    other.change_data_capture.add('Contact')
    assert state.records.rows(contact) == []
    assert state.change_data_capture == set()
    assert other.records.at('003tp00000Xf61QAAR') is not None
