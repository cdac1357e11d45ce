"""Advice, merged message by message."""

import pytest

from nameko_salesforce.bayeux.advice import Advice, AdviceUpdate, Reconnect


def test_before_any_advice_the_action_is_retry_without_a_pause():
    assert Advice() == Advice(Reconnect.RETRY, interval=0.0, timeout=None, max_interval=None)


def test_what_an_update_does_not_name_stays():
    advice = Advice().merge(AdviceUpdate(interval=2.0, timeout=30.0, max_interval=10.0))
    merged = advice.merge(AdviceUpdate(reconnect=Reconnect.HANDSHAKE))
    assert merged == Advice(Reconnect.HANDSHAKE, 2.0, 30.0, 10.0, single_interval=2.0)


def test_an_update_wins_field_by_field():
    advice = Advice(Reconnect.HANDSHAKE, 2.0, 30.0, 10.0)
    assert advice.merge(AdviceUpdate(Reconnect.RETRY, 0.0, 1.0, 5.0)) == Advice(
        Reconnect.RETRY, 0.0, 1.0, 5.0
    )


@pytest.mark.defect('D15')
def test_the_interval_of_multiple_clients_goes_when_the_server_no_longer_sees_them():
    advice = Advice().merge(AdviceUpdate(interval=0.5))
    crowded = advice.merge(AdviceUpdate(interval=2.0, multiple_clients=True))
    assert crowded.interval == 2.0
    assert crowded.alone().interval == 0.5
    assert not crowded.alone().multiple_clients


def test_advice_without_multiple_clients_is_left_as_it_is():
    advice = Advice(interval=3.0, single_interval=3.0)
    assert advice.alone() is advice


def test_a_handshake_keeps_the_timing_and_drops_the_action():
    advice = Advice(Reconnect.NONE, interval=1.5, timeout=30.0, single_interval=1.5)
    assert advice.after_handshake() == Advice(Reconnect.RETRY, 1.5, 30.0, single_interval=1.5)


def test_a_handshake_drops_a_negative_interval():
    assert Advice(interval=-1.0, single_interval=-1.0).after_handshake().interval == 0


def test_other_advice_meanwhile_does_not_make_the_interval_of_multiple_clients_last():
    crowded = Advice().merge(AdviceUpdate(interval=2.0, multiple_clients=True))
    assert crowded.merge(AdviceUpdate(reconnect=Reconnect.RETRY)).alone().interval == 0
