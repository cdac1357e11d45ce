"""`make crash` in short, and that what it looks for is found."""

import os
import subprocess
import sys

import eventlet
import pytest

from tests.crash.diary import DiaryReader, DiaryWriter, Entry, Step
from tests.crash.process import ROOT
from tests.crash.report import report, wrong
from tests.crash.run import Findings
from tests.crash.service import Crash
from tests.crash.streams import HANDLERS, replay_id_of
from tests.crash.verdict import Expected, judge

SLOWNESS = float(os.environ.get('TIME_FACTOR', '1'))

KEYS = {1: ['a'], 2: ['b'], 3: ['a'], 4: ['a', 'b'], 5: []}


def run(*arguments, folder):
    """Exit status and output of the program."""
    with (folder / 'out').open('w+') as out:
        process = subprocess.Popen(
            [sys.executable, '-W', 'ignore', '-m', 'tests.crash', *arguments],
            cwd=ROOT,
            stdout=out,
            stderr=out,
        )
        try:
            with eventlet.Timeout(100 * SLOWNESS):
                status = process.wait()
        finally:
            process.terminate()
            process.wait()
    return status, (folder / 'out').read_text()


def test_nothing_is_lost_in_a_service_that_is_killed_at_random_moments(tmp_path):
    status, out = run('--kills', '4', folder=tmp_path)
    assert status == 0, out
    assert 'lost 0, ' in out


def test_the_program_tells_how_it_is_used(tmp_path):
    status, out = run('--help', folder=tmp_path)
    assert status == 0
    assert '--seed' in out


def test_the_service_has_the_handlers_that_are_looked_at():
    found = {
        name: entrypoint.channel
        for name in vars(Crash)
        for entrypoint in getattr(getattr(Crash, name), 'nameko_entrypoints', ())
        if hasattr(entrypoint, 'channel')
    }
    assert found == {name: handler.channel for name, handler in HANDLERS.items()}


# --- the verdict ----------------------------------------------------------------------------------


def entries(text):
    """A diary from words such as `1:begun:1,2`."""
    found = []
    for word in text.split():
        life, step, ids = word.split(':')
        found.append(Entry(int(life), Step(step), 'handle', tuple(int(each) for each in ids.split(','))))
    return found


def verdict_of(text, letters=(), promised=0):
    return judge({'handle': Expected(KEYS, promised)}, entries(text), {'handle': letters})


def calls(life, *ids):
    return ' '.join(f'{life}:begun:{each} {life}:done:{each}' for each in ids)


def test_all_is_well_where_each_event_was_done_in_order():
    verdict = verdict_of(calls(1, 1, 2, 3, 4, 5))
    assert wrong(Findings(), verdict) == []
    assert verdict.tallies['handle'].duplicates == 0


def test_an_event_that_was_never_done_is_lost():
    verdict = verdict_of(f'{calls(1, 1, 2, 3, 4)} 1:begun:5 1:failed:5')
    assert verdict.tallies['handle'].lost == [5]
    assert wrong(Findings(), verdict) == ['handle() has lost 5']


def test_an_event_is_not_lost_that_has_a_dead_letter_or_was_not_promised():
    verdict = verdict_of(calls(1, 2, 3, 4), letters={5}, promised=1)
    assert verdict.tallies['handle'].lost == []


def test_what_was_done_in_two_lives_is_a_duplicate_and_no_fault():
    verdict = verdict_of(f'{calls(1, 1, 2, 3, 4, 5)} {calls(2, 1, 3)}')
    assert verdict.tallies['handle'].duplicates == 2
    assert wrong(Findings(kills=1), verdict) == ['1 kills found no unfinished worker']
    assert wrong(Findings(idle=1), verdict) == []


def test_what_one_life_does_twice_is_a_fault():
    [fault] = wrong(Findings(), verdict_of(calls(1, 1, 2, 3, 4, 5, 5)))
    assert fault.startswith('twice in one life: line 12')


def test_an_event_that_nobody_published_is_a_fault():
    [fault] = wrong(Findings(), verdict_of(calls(1, 1, 2, 3, 4, 5) + ' 1:begun:9'))
    assert fault == 'never published: line 11, life 1, handle(): [9]'


@pytest.mark.parametrize(
    ('diary', 'fault'),
    [
        (calls(1, 3), '3 of a begins, and 1 was never done'),
        (f'{calls(1, 1, 3)} 2:begun:1 2:begun:3', '3 of a begins beside [1]'),
        (f'{calls(1, 1, 3)} {calls(2, 3, 1)}', '1 of a begins after 3'),
        ('1:begun:3,1', '3 of a begins, and 1 was never done'),
        (calls(1, 1, 3, 4), '4 of b begins, and 2 was never done'),
    ],
)
def test_events_of_one_record_out_of_order_are_a_fault(diary, fault):
    [found] = verdict_of(diary).broken
    assert fault in found


@pytest.mark.parametrize(
    'diary',
    [
        '1:begun:1 1:begun:2 1:begun:5',
        '1:begun:1,3',
        f'1:begun:1,3 1:failed:1,3 {calls(1, 1, 3)}',
        f'{calls(1, 1)} 1:begun:3 {calls(2, 1, 3)}',
        f'1:begun:1 2:begun:1 2:done:1 {calls(2, 3)}',
    ],
)
def test_side_by_side_retries_and_further_lives_break_no_order(diary):
    assert verdict_of(diary).broken == []


def test_calls_that_a_kill_cut_off_are_counted():
    verdict = verdict_of('1:begun:1 1:begun:2 1:done:1 2:begun:1')
    assert [len(life.running) for life in verdict.lives.values()] == [1, 1]
    lines = list(report(Findings(kills=1, down=[3]), verdict, {}))
    assert 'unfinished workers at a kill:      1 to 1, 1.0 on average, 1 in all' in lines
    assert 'writes while the service was down: 3 to 3, 3.0 on average, 3 in all' in lines


def test_a_time_without_a_write_is_a_fault():
    verdict = verdict_of(calls(1, 1, 2, 3, 4, 5))
    assert wrong(Findings(down=[0, 2]), verdict) == [
        'nothing was published in 1 of the times that the service was down'
    ]


def test_a_lost_position_is_a_fault():
    verdict = judge({}, [Entry(1, Step.GAP, 'gap', ())], {})
    assert wrong(Findings(), verdict) == ['1 positions were lost, and the server keeps all']


# --- parts ----------------------------------------------------------------------------------------


def test_the_diary_is_read_as_it_was_written(tmp_path):
    path = tmp_path / 'diary'
    reader = DiaryReader(path)
    assert reader.news() == []
    DiaryWriter(path, 1).write(Step.BEGUN, 'handle', [1, 2])
    DiaryWriter(path, 2).write(Step.GAP, 'gap', [])
    with path.open('a') as file:
        file.write('2 done han')
    assert reader.news() == [Entry(1, Step.BEGUN, 'handle', (1, 2)), Entry(2, Step.GAP, 'gap', ())]
    with path.open('a') as file:
        file.write('dle 7\n')
    assert reader.news() == [Entry(2, Step.DONE, 'handle', (7,))]
    reader.close()


def test_keys_of_handlers_are_those_of_the_events():
    event = {'event': {'replayId': 7}}
    notification = {**event, 'sobject': {'Id': 'a00'}}
    change = {**event, 'payload': {'ChangeEventHeader': {'recordIds': ['a00', 'a01']}}}
    reading = {**event, 'payload': {'Meter__c': 'meter-1'}}
    assert replay_id_of(event) == 7
    assert HANDLERS['follow'].keys(notification) == ('a00',)
    assert HANDLERS['copy'].keys(change) == ('a00', 'a01')
    assert HANDLERS['read'].keys(reading) == ('meter-1',)
    assert HANDLERS['scan'].keys(event) == ()
