from random import Random

import pytest
from fake_salesforce.limits import EventAllowance, Routes

DAY = 86_400.0


def test_a_route_leads_until_its_end():
    routes = Routes(Random(1))
    cookie = routes.open(100.0, 50.0)
    assert (cookie.name, cookie.lifetime) == ('sfdc-stream', 100.0)
    assert routes.leads(cookie.value, 149.9)
    assert not routes.leads(cookie.value, 150.0)


@pytest.mark.parametrize('value', [None, '', '!other'])
def test_other_cookies_lead_nowhere(value):
    assert not Routes(Random(1)).leads(value, 0.0)


def test_all_routes_can_be_ended():
    routes = Routes(Random(1))
    routes.open(10.0, 0.0)
    cookie = routes.open(100.0, 50.0)
    assert routes.close_all(60.0) == 1
    assert not routes.leads(cookie.value, 60.0)
    assert routes.close_all(60.0) == 0


def test_an_allowance_is_for_any_24_hours():
    allowance = EventAllowance()
    assert allowance.take(2, 0.0)
    assert allowance.left(2, 50.0) == 1
    assert allowance.take(2, 100.0)
    assert allowance.left(2, DAY - 1) == 0
    assert allowance.is_spent(2, DAY - 1)
    assert not allowance.take(2, DAY - 1)
    assert allowance.take(2, DAY)
    assert not allowance.take(2, DAY)
    assert allowance.take(2, DAY + 100.0)


def test_a_negative_limit_is_none():
    allowance = EventAllowance()
    assert all(allowance.take(-1, 0.0) for _ in range(100))
    assert allowance.is_spent(0, 0.0)
