"""Where a channel is subscribed from: a test for each row of the table, and what holds for all of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameko_salesforce.replay.position import Position
from nameko_salesforce.streaming.resume import (
    ALL_EVENTS,
    LEEWAY,
    MARGIN,
    NEW_EVENTS,
    UNTIL_ANSWERED,
    Gap,
    Halted,
    OnGap,
    Resume,
    Rules,
    Start,
    resume,
)

CHANNEL = '/event/Low_Ink__e'
HOUR = 3600.0
RETENTION = 72 * HOUR
NOW = 1_700_000_000.0
REFUSAL = (
    '400::The replayId {7} you provided was invalid.  Please provide a valid ID, -2 to replay all events'
)


def rules(start=Start.LATEST, on_gap=OnGap.EARLIEST, greatest_age=RETENTION):
    return Rules(channel=CHANNEL, retention=RETENTION, greatest_age=greatest_age, start=start, on_gap=on_gap)


def position(replay_id=7, *, seen_ago=60.0, created_ago=HOUR, marked_ago=30 * 24 * HOUR):
    created = None if created_ago is None else NOW - created_ago
    return Position(replay_id, created, NOW - seen_ago, NOW - marked_ago)


def mark(*, seen_ago=60.0, marked_ago=2 * HOUR):
    return Position(None, None, NOW - seen_ago, NOW - marked_ago)


def unconfirmed(marked_ago):
    """The mark of a subscription that nobody knows to have come about."""
    return Position(None, None, 0.0, NOW - marked_ago)


# --- no position ----------------------------------------------------------------------------------


def test_a_first_start_takes_new_events_and_leaves_a_mark_that_promises_nothing_yet():
    plan = resume(rules(), None, '', NOW)
    assert plan == Resume(NEW_EVENTS, None, Position(None, None, 0.0, NOW))


def test_a_first_start_from_the_earliest_takes_all_that_is_kept_and_drops_nothing_ever():
    plan = resume(rules(Start.EARLIEST), None, '', NOW)
    assert plan == Resume(ALL_EVENTS, None, Position(None, None, 0.0, 0.0))
    again = resume(rules(Start.EARLIEST), plan.position, '', NOW + HOUR)
    assert (again.replay_from, again.drop_before, again.gap) == (ALL_EVENTS, None, None)


# --- a mark, no event yet -------------------------------------------------------------------------


def test_a_mark_takes_all_that_is_kept_and_passes_over_what_was_created_long_before_it():
    plan = resume(rules(), mark(marked_ago=2 * HOUR), '', NOW)
    assert plan == Resume(ALL_EVENTS, NOW - 2 * HOUR - MARGIN)


def test_a_refusal_says_nothing_about_a_mark():
    assert resume(rules(), mark(), REFUSAL, NOW) == resume(rules(), mark(), '', NOW)


def test_a_mark_of_a_subscription_that_may_have_come_about_is_used():
    plan = resume(rules(), unconfirmed(HOUR), '', NOW)
    assert plan == Resume(ALL_EVENTS, NOW - HOUR - MARGIN)


def test_an_old_mark_of_a_subscription_that_never_came_about_is_a_first_start_and_no_loss():
    plan = resume(rules(), unconfirmed(RETENTION + 1), '', NOW)
    assert plan == resume(rules(), None, '', NOW)


def test_a_mark_from_a_time_to_come_passes_nothing_over():
    # The clock was ahead by a year when it was made: all real events are from before it.
    plan = resume(rules(), mark(marked_ago=-365 * 24 * HOUR), '', NOW)
    assert plan == Resume(ALL_EVENTS, None)


def test_clocks_that_differ_by_minutes_do_not_bring_all_that_is_kept():
    plan = resume(rules(), mark(marked_ago=-60.0), '', NOW)
    assert plan == Resume(ALL_EVENTS, NOW + 60.0 - MARGIN)


# --- older than is of use -------------------------------------------------------------------------


@pytest.mark.defect('S5')
def test_a_position_older_than_is_of_use_is_lost_with_a_notice_of_all_that_is_known():
    old = position(seen_ago=80 * HOUR, created_ago=90 * HOUR)
    plan = resume(rules(), old, '', NOW)
    assert plan.gap == Gap(
        channel=CHANNEL,
        reason='last connected 80.0 h ago; positions are used for 72.0 h',
        replay_id=7,
        event_time=NOW - 90 * HOUR,
        seen_until=NOW - 80 * HOUR,
        age=80 * HOUR,
        chosen=OnGap.EARLIEST,
        noticed_at=NOW,
    )


def test_a_position_that_is_just_young_enough_is_asked_for():
    assert resume(rules(), position(seen_ago=RETENTION - UNTIL_ANSWERED), '', NOW) == Resume(7)


@pytest.mark.parametrize('kept', [position, mark])
def test_what_may_be_too_old_by_the_time_of_the_answer_is_lost(kept):
    """Nothing else would tell: a server that still knows the id replays what it has, and that is less."""
    assert resume(rules(), kept(seen_ago=RETENTION - UNTIL_ANSWERED + 1), '', NOW).gap is not None


def test_an_age_beyond_what_is_kept_is_of_no_use():
    assert resume(rules(greatest_age=2 * RETENTION), position(seen_ago=RETENTION), '', NOW).gap is not None


def test_a_shorter_age_may_be_set():
    assert resume(rules(greatest_age=600.0), position(seen_ago=601.0), '', NOW).gap is not None


def test_an_age_of_seconds_is_told_in_seconds():
    plan = resume(rules(greatest_age=5.0), position(seen_ago=10.0), '', NOW)
    assert plan.gap.reason == 'last connected 10 s ago; positions are used for 5 s'


def test_after_a_loss_the_earliest_are_all_but_those_known_to_be_done():
    plan = resume(rules(), position(seen_ago=80 * HOUR, created_ago=90 * HOUR), '', NOW)
    assert plan.replay_from == ALL_EVENTS
    assert plan.drop_before == NOW - 90 * HOUR - MARGIN
    assert plan.position == Position(None, None, NOW, NOW - 90 * HOUR)


def test_after_a_loss_the_latest_are_what_comes_after_the_notice():
    plan = resume(rules(on_gap=OnGap.LATEST), position(seen_ago=80 * HOUR), '', NOW)
    assert (plan.replay_from, plan.drop_before) == (NEW_EVENTS, None)
    assert plan.position == Position(None, None, NOW, NOW)
    assert plan.gap.chosen is OnGap.LATEST


def test_events_between_a_loss_and_a_late_subscription_are_asked_for():
    lost = resume(rules(on_gap=OnGap.LATEST), position(seen_ago=80 * HOUR), '', NOW)
    plan = resume(rules(on_gap=OnGap.LATEST), lost.position, '', NOW + HOUR)
    assert (plan.replay_from, plan.drop_before, plan.gap) == (ALL_EVENTS, NOW - MARGIN, None)


def test_after_a_loss_nothing_is_subscribed_to_where_somebody_wants_to_decide():
    plan = resume(rules(on_gap=OnGap.FAIL), position(seen_ago=80 * HOUR), '', NOW)
    assert isinstance(plan, Halted)
    assert plan.gap.chosen is OnGap.FAIL


def test_an_old_mark_is_lost_too():
    plan = resume(rules(), mark(seen_ago=80 * HOUR, marked_ago=90 * HOUR), '', NOW)
    assert plan.gap.replay_id is None
    assert plan.drop_before == NOW - 90 * HOUR - MARGIN


# --- refused by the server ------------------------------------------------------------------------


@pytest.mark.defect('S5')
def test_a_refused_id_of_a_channel_that_was_just_connected_is_no_loss():
    plan = resume(rules(), position(seen_ago=60.0, created_ago=HOUR), REFUSAL, NOW)
    assert plan == Resume(ALL_EVENTS, NOW - HOUR - MARGIN, Position(None, None, NOW - 60.0, NOW - HOUR))


def test_a_refused_id_whose_event_does_not_say_when_it_was_created_is_bounded_by_the_mark():
    plan = resume(rules(), position(created_ago=None, marked_ago=5 * HOUR), REFUSAL, NOW)
    assert plan.drop_before == NOW - 5 * HOUR - MARGIN


def test_a_refused_id_with_a_mark_from_a_time_to_come_is_bounded_by_its_event():
    plan = resume(rules(), position(created_ago=HOUR, marked_ago=-365 * 24 * HOUR), REFUSAL, NOW)
    assert plan.drop_before == NOW - HOUR - MARGIN


def test_a_refused_id_of_a_channel_long_away_is_lost_in_the_words_of_the_server():
    plan = resume(rules(), position(seen_ago=RETENTION - LEEWAY + 1), REFUSAL, NOW)
    assert plan.gap.reason == f'refused: {REFUSAL}'
    assert plan.replay_from == ALL_EVENTS


def test_a_refused_id_that_was_kept_by_a_clock_far_ahead_is_lost_for_its_age_is_not_known():
    plan = resume(rules(), position(seen_ago=-24 * HOUR), REFUSAL, NOW)
    assert plan.gap is not None


# --- otherwise ------------------------------------------------------------------------------------


@pytest.mark.parametrize('replay_id', [7, 0, '', '7', 'opaque', 2**63])
def test_a_position_is_asked_for_as_it_is(replay_id):
    assert resume(rules(), position(replay_id), '', NOW) == Resume(replay_id)


@pytest.mark.parametrize('replay_id', [0, ''])
def test_an_id_that_looks_like_nothing_can_be_lost_like_any_other(replay_id):
    assert resume(rules(), position(replay_id, seen_ago=80 * HOUR), '', NOW).gap.replay_id == replay_id


# --- whatever the position, the refusal and the time -----------------------------------------------

TIMES = st.one_of(
    st.just(0.0),
    st.floats(NOW - 200 * HOUR, NOW + 200 * HOUR),
    st.sampled_from([NOW, NOW - RETENTION, NOW - RETENTION + LEEWAY, NOW - MARGIN, NOW + MARGIN]),
)
IDS = st.one_of(st.none(), st.sampled_from([0, '', 7, '7']))
POSITIONS = st.builds(Position, IDS, st.one_of(st.none(), TIMES), TIMES, TIMES)
RULES = st.builds(
    rules,
    st.sampled_from(Start),
    st.sampled_from(OnGap),
    st.sampled_from([HOUR, 23 * HOUR, RETENTION, 200 * HOUR]),
)
REFUSALS = st.sampled_from(['', REFUSAL])


def asked_again(rules, position, plan, refusal, now):
    """The next plan, where this one was carried out."""
    return resume(rules, plan.position or position, refusal, now)


@given(RULES, POSITIONS, REFUSALS, st.floats(0.0, HOUR / 2))
def test_a_lost_position_is_told_exactly_once(rules, position, refusal, later):
    plan = resume(rules, position, refusal, NOW)
    for said in ('', REFUSAL):
        # Where it halts nothing is carried out: test_channel.py.
        if plan.gap is not None and not isinstance(plan, Halted):
            assert asked_again(rules, position, plan, said, NOW + later).gap is None


@given(RULES, st.one_of(st.none(), POSITIONS), REFUSALS)
def test_a_refused_id_is_not_asked_for_again(rules, position, refusal):
    plan = resume(rules, position, REFUSAL, NOW)
    assert isinstance(plan, Halted) or plan.replay_from in (ALL_EVENTS, NEW_EVENTS)


@given(RULES, POSITIONS, REFUSALS)
def test_nothing_is_passed_over_that_was_created_after_all_that_is_known_to_be_done(rules, position, refusal):
    plan = resume(rules, position, refusal, NOW)
    known = position.marked_at if position.marked_at <= NOW + MARGIN else 0.0  # by our own clock
    if position.replay_id is not None:
        known = max(known, position.event_time or 0.0)
    if isinstance(plan, Resume) and plan.drop_before is not None:
        assert plan.drop_before <= known - MARGIN


@given(RULES, POSITIONS, REFUSALS)
def test_nothing_is_left_out_without_a_word_once_the_channel_was_connected(rules, position, refusal):
    plan = resume(rules, position, refusal, NOW)
    if position.seen_until > 0.0 and plan.gap is None:
        assert plan.replay_from in (ALL_EVENTS, position.replay_id)


@given(RULES, POSITIONS, REFUSALS)
def test_where_all_events_are_asked_for_in_place_of_an_id_no_more_are_passed_over_next_time(
    rules, position, refusal
):
    plan = resume(rules, position, refusal, NOW)
    if position.replay_id is not None and isinstance(plan, Resume) and plan.replay_from == ALL_EVENTS:
        again = resume(rules, plan.position, '', NOW)
        assert again.replay_from == ALL_EVENTS
        assert again.drop_before in (None, plan.drop_before)
