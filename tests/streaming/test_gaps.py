"""What @handle_gap says about its method; what it is told is in integration/test_streaming_status.py."""

import pytest

from nameko_salesforce.bayeux.messages import Delivery
from nameko_salesforce.bayeux.outcomes import Failed
from nameko_salesforce.streaming.gaps import GapHandler
from nameko_salesforce.streaming.resume import Gap, OnGap
from nameko_salesforce.streaming.retry import OnFailure

GAP = Gap(
    channel='/event/A__e',
    reason='refused',
    replay_id=7,
    event_time=None,
    seen_until=1.0,
    age=2.0,
    chosen=OnGap.EARLIEST,
    noticed_at=3.0,
)


def test_the_method_gets_the_gap():
    assert GapHandler().run_args([Delivery('/gaps', GAP)]) == (GAP,)


def test_the_method_is_tried_as_a_handler_and_given_up_with_a_line_in_the_log():
    options = GapHandler(attempts=5, timeout=2.0, expected_exceptions=LookupError).options('reconcile')
    assert (options.name, options.retry.attempts, options.retry.timeout) == ('reconcile', 5, 2.0)
    assert options.retry.on_failure is OnFailure.SKIP
    assert options.retry.is_handled(Failed(LookupError()))
    assert not options.retry.is_handled(Failed(ValueError()))


@pytest.mark.parametrize('options', [{'attempts': 0}, {'timeout': 0}])
def test_what_no_attempt_could_be_is_refused_where_it_is_written(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        GapHandler(**options)
