"""What `make bench` makes of its runs: figures, cells, targets. The programs themselves are not run here."""

from dataclasses import replace

import pytest

from benchmarks.figures import Figures, Spread, age_of, cpu, growth, p50, p99, spread_of
from benchmarks.patterns import PATTERNS, PEERS, pattern_of, quick
from benchmarks.plan import choose, order, plan
from benchmarks.table import figure_rows, markdown_of_figures, markdown_of_targets, target_row
from benchmarks.targets import Target, targets

MB = 2**20


def run_of(client, pattern, number, us, **others):
    """A run in which each of 1,000 events costs so many microseconds."""
    return {
        'client': client,
        'pattern': pattern,
        'run': number,
        'events': 1000,
        'cpu': us / 1000,
        'wall': 0.5,
        'rss_base': 40 * MB,
        'rss_peak': 42 * MB,
        'switches': 1000,
        'tenths': [us / 10_000] * 10,
        **others,
    }


# --- figures ---------------------------------------------------------------------------------------


def test_a_spread_is_the_median_the_least_and_the_most():
    assert spread_of([5, 1, 2]) == Spread(2, 1, 5)
    assert spread_of([1, 3]) == Spread(2, 1, 3)
    assert spread_of([]) is None


def test_cpu_is_for_each_event():
    figures = Figures([run_of('ours', '10', number, us) for number, us in enumerate((20, 30, 10))])
    found = figures.spread('10', 'ours', cpu)
    assert (found.median, found.low, found.high) == pytest.approx((20, 10, 30))


def test_a_ratio_is_made_inside_each_run():
    # Twice as slow a machine in the second run changes neither ratio.
    runs = [run_of('ours', '10', 0, 20), run_of('reference', '10', 0, 10)]
    runs += [run_of('reference', '10', 1, 20), run_of('ours', '10', 1, 60)]
    found = Figures(runs).ratio(('10', 'ours'), ('10', 'reference'), cpu)
    assert (found.low, found.high) == pytest.approx((2, 3))


def test_a_run_that_failed_or_has_no_partner_is_left_out():
    runs = [run_of('ours', '10', 0, 20), run_of('reference', '10', 0, 10), run_of('ours', '10', 1, 99)]
    runs.append(run_of('reference', '10', 1, 1, failed='it broke'))
    found = Figures(runs).ratio(('10', 'ours'), ('10', 'reference'), cpu)
    assert (found.low, found.high) == pytest.approx((2, 2))
    assert Figures(runs).ratio(('10', 'ours'), ('10', 'floor'), cpu) is None


def test_percentiles_are_milliseconds():
    run = {'latencies': [each / 1000 for each in range(200, 0, -1)]}
    assert (p50(run), p99(run)) == pytest.approx((101, 199))


def test_age_and_memory():
    run = run_of('ours', 'backlog', 0, 20, tenths=[2, 2, 2, 9, 9, 9, 9, 2, 3, 4])
    assert age_of(run) == pytest.approx(1.5)
    assert growth(run) == pytest.approx(2)


# --- targets ---------------------------------------------------------------------------------------


def judged(runs, words):
    [found] = [each for each in targets(Figures(runs)) if each.words == words]
    return found


def test_a_target_that_was_not_measured_is_not_passed():
    every = targets(Figures([]))
    assert every
    assert not [each for each in every if each.passed or each.measured]


@pytest.mark.parametrize(('us', 'passed'), [(24, True), (26, False)])
def test_the_callback_is_judged_by_its_limit(us, passed):
    runs = [run_of('ours', '10', 0, us), run_of('reference', '10', 0, 10)]
    assert judged(runs, 'callback per event, 10 a response: CPU over the reference').passed is passed


@pytest.mark.parametrize('peer', PEERS)
def test_every_peer_is_to_be_beaten(peer):
    runs = [run_of('ours', '1', 0, 20), run_of(peer, '1', 0, 19)]
    assert not judged(runs, f'callback per event, 1 a response: CPU over {peer}').passed


def test_memory_is_judged_by_the_worst_run():
    runs = [run_of('ours', 'burst', 0, 10), run_of('ours', 'burst', 1, 10, rss_peak=49 * MB)]
    found = judged(runs, '50,000 events in one response: memory of ours')
    assert (found.value, found.passed) == (9, False)


@pytest.mark.parametrize(('switches', 'passed'), [(6, True), (7, False)])
def test_an_idle_client_may_wake_once_a_second(switches, passed):
    runs = [run_of('ours', 'idle', 0, 10, idle_switches=switches, idle_seconds=5.5, idle_cpu=0.0)]
    assert judged(runs, 'a held poll: wake-ups of ours beyond one a second').passed is passed


def test_a_held_poll_is_compared_with_an_answered_one():
    idle = run_of('ours', 'idle', 0, 10, idle_switches=0, idle_seconds=5.5, idle_cpu=0.000_010)
    runs = [idle, run_of('ours', 'single', 0, 100)]
    found = judged(runs, 'a poll held for 110 s: CPU over that of an answered one')
    assert found.value == pytest.approx(2)


def test_the_fake_is_judged():
    runs = [{'client': 'fake', 'pattern': 'held', 'run': 0, 'broadcast': 1.5, 'held': 30 * 1024}]
    assert not judged(runs, 'the fake, 2,000 held clients: one broadcast').passed
    assert judged(runs, 'the fake, 2,000 held clients: memory of each').passed


# --- cells -----------------------------------------------------------------------------------------


def test_rows_show_median_and_spread():
    runs = [run_of('reference', '10', number, 10) for number in range(3)]
    runs += [run_of('ours', '10', number, us) for number, us in enumerate((20, 30, 25))]
    assert figure_rows(Figures(runs), '10') == [
        ['reference', '10.0', '1.00', '2,000', '40.0', '2.0', '', ''],
        ['ours', '25.0 (20.0-30.0)', '2.50 (2.00-3.00)', '2,000', '40.0', '2.0', '', ''],
    ]


def test_a_target_says_pass_fail_or_not_measured():
    target = Target('words', 2.5, 'x', Spread(2, 1, 3))
    assert target_row(target) == ['words', '2.5 x', '2.00 (1.00-3.00)', 'pass']
    assert target_row(replace(target, limit=1.5))[-1] == 'FAIL'
    assert target_row(replace(target, worst=True))[-1] == 'FAIL'
    assert target_row(replace(target, measured=None))[2:] == ['', 'not measured']


def test_only_names_clients_patterns_or_both():
    def names(only):
        return [(pattern.name, clients) for pattern, clients in choose(only, is_quick=False)]

    assert names('ours,reference,10') == [('10', ['reference', 'ours'])]
    assert ('10', ['ours']) in names('ours')
    assert 'held' not in dict(names('ours'))
    assert names('held') == [('held', ['fake'])]
    assert set(dict(names(''))) == set(PATTERNS)


def test_tables_for_the_docs():
    runs = [
        run_of('reference', '10', 0, 10),
        run_of('ours', 'single', 0, 10, latencies=[0.001, 0.002, 0.003]),
    ]
    assert markdown_of_figures(Figures(runs), ['10', 'single']) == [
        '| pattern | client | CPU us/event | x reference | events/s | RSS base | peak +MB |',
        '| --- | --- | --- | --- | --- | --- | --- |',
        '| 10 | reference | 10.0 | 1.00 | 2,000 | 40.0 | 2.0 |',
        '| single | ours | 10.0 |  | 2,000 | 40.0 | 2.0 |',
        '',
        '| client | p50 ms | p99 ms |',
        '| --- | --- | --- |',
        '| ours | 2.00 | 3.00 |',
    ]
    target = Target('words', 2.5, 'x', Spread(2, 1, 3))
    assert markdown_of_targets([target])[2:] == ['| words | 2.5 x | 2.00 (1.00-3.00) | pass |']


# --- patterns and their order ----------------------------------------------------------------------


@pytest.mark.parametrize('name', PATTERNS)
@pytest.mark.parametrize('is_quick', [False, True])
def test_responses_hold_all_events_and_the_warm_up_ends_with_one(name, is_quick):
    pattern = pattern_of(name, is_quick=is_quick)
    responses = list(pattern.responses())
    assert [first for first, _ in responses] == [0, *(behind for _, behind in responses[:-1])]
    assert responses[-1][1] == pattern.total
    assert pattern.warm in [first for first, _ in responses[2:]], 'the base is taken in a response before'


def test_quick_is_less_of_the_same():
    for pattern in PATTERNS.values():
        less = quick(pattern)
        assert less.events <= pattern.events
        assert replace(less, events=pattern.events, hold=pattern.hold) == pattern


def test_each_run_begins_with_another_client():
    clients = ['a', 'b', 'c', 'd']
    orders = [order(clients, number) for number in range(4)]
    assert all(sorted(each) == clients for each in orders)
    assert len({each[0] for each in orders}) == 4


def test_patterns_of_a_group_are_measured_side_by_side():
    chosen = [(PATTERNS['100'], ['a', 'b']), (PATTERNS['channels-100'], ['b']), (PATTERNS['1'], ['a'])]
    planned = [(client, pattern.name) for _, client, pattern in plan(chosen, 1)]
    assert planned == [('a', '100'), ('b', '100'), ('b', 'channels-100'), ('a', '1')]


def test_no_client_has_its_runs_one_after_the_other():
    chosen = [(PATTERNS['1'], ['a', 'b']), (PATTERNS['10'], ['a', 'b'])]
    planned = [(client, pattern.name, number) for number, client, pattern in plan(chosen, 2)]
    assert sorted(planned) == sorted((c, p, n) for c in 'ab' for p in ('1', '10') for n in range(2))
    assert [number for *_, number in planned] == [0] * 4 + [1] * 4
