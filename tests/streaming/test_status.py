"""What a report says in words, and as JSON."""

import json
from dataclasses import replace

from nameko_salesforce.streaming.status import ChannelReport, StreamReport

CHANNEL = ChannelReport(
    channel='/topic/Contact',
    state='active',
    reason='',
    last_event_at=None,
    lag=0.0,
    received=None,
    committed='opaque',
    committed_age=None,
    unfinished=0,
    in_flight=0,
    waiting=0,
    retrying=0,
    handled=0,
    retries=0,
    dead_letters=0,
    skipped=0,
    repeated=0,
    unread=0,
    gaps=0,
)

WELL = StreamReport(
    state='connected',
    state_for=5.0,
    reason='connect answered',
    client_id='abc',
    reconnects={'403': 2},
    braked_for=None,
    dropped=0,
    store='memory',
    store_failing_for=None,
    unsaved_positions=0,
    unsaved_letters=0,
    channels={'/topic/Contact': CHANNEL},
)


def test_where_all_is_well_there_is_no_problem():
    assert WELL.problems == []


def test_a_service_that_is_behind_has_no_problem():
    behind = replace(CHANNEL, lag=3600.0, waiting=500, unfinished=500)
    assert replace(WELL, braked_for=60.0, channels={'/topic/Contact': behind}).problems == []


def test_what_is_wrong_is_said_with_its_reason():
    refused = replace(CHANNEL, state='refused', reason='403::No access')
    report = replace(
        WELL,
        state='pausing',
        state_for=61.2,
        reason='no answer',
        store='redis://x',
        store_failing_for=9.7,
        unsaved_letters=2,
        channels={'/topic/Contact': refused},
    )
    assert report.problems == [
        'pausing for 61 s: no answer',
        '/topic/Contact is refused: 403::No access',
        'redis://x: positions cannot be saved for 10 s',
        'redis://x: 2 dead letters are not stored yet',
    ]


def test_a_report_is_json():
    said = json.loads(json.dumps(WELL.as_dict()))
    assert said['channels']['/topic/Contact']['committed'] == 'opaque'
    assert said['reconnects'] == {'403': 2}
    assert said['problems'] == []
