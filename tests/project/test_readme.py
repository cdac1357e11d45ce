"""The README is true: its blocks are those of the examples, and each promise names its test."""

import re
import subprocess
import sys

import pytest

from tests.project.pages import ROOT, blocks, promises, read

README = read('README.md')

CLIENT = 'tests/bayeux/client/test_client.py::'
SESSION = 'tests/bayeux/pure/test_session.py::'
SERVICE = 'tests/integration/'
RUN = SERVICE + 'test_salesforce_run.py::'
STREAMING = SERVICE + 'test_salesforce_streaming.py::'
RECOVERY = SERVICE + 'test_salesforce_recovery.py::'
BRAKE = 'tests/bayeux/client/test_client_brake.py::'
RUNNER = 'tests/streaming/test_runner.py::'
POLICY = 'tests/streaming/test_policy.py::'
POSITIONS = SERVICE + 'test_positions.py::'
PRESSURE = SERVICE + 'test_back_pressure.py::'
STATUS = SERVICE + 'test_streaming_status.py::'

PROOFS = {
    'README.md': {
        'Salesforce goes away': [
            CLIENT + 'test_a_server_that_starts_again_is_found_again',
            SESSION + 'test_pauses_grow_to_the_cap',
            RECOVERY + 'test_an_org_that_starts_from_nothing_gets_its_pushtopic_again',
        ],
        'the service restarts': [
            POSITIONS + 'test_a_service_gets_what_was_published_while_it_was_down_and_nothing_twice',
            POSITIONS + 'test_a_start_before_the_first_event_is_remembered',
            POSITIONS + 'test_without_a_store_one_line_says_what_a_restart_means',
        ],
        'SIGKILL, at any moment': [
            RUN + 'test_a_process_that_is_killed_at_work_loses_nothing',
            POSITIONS + 'test_a_killed_service_loses_nothing',
            POSITIONS + 'test_a_position_never_passes_an_unfinished_event',
        ],
        'the store of the positions is down': [
            POSITIONS + 'test_a_store_that_goes_away_delays_positions_and_not_the_stream',
            POSITIONS + 'test_a_store_that_is_down_at_the_start_delays_its_channels_and_nothing_is_lost',
        ],
        'a position is lost': [
            POSITIONS + 'test_a_position_older_than_retention_is_lost_with_a_notice',
            POSITIONS + 'test_a_channel_with_on_gap_fail_stops_visibly_and_the_others_go_on',
            STATUS + 'test_a_lost_position_is_told_to_the_service',
        ],
        'Salesforce is down when your service starts': [
            RECOVERY + 'test_a_service_starts_while_salesforce_is_down_and_is_served_once_it_is_up',
            RECOVERY + 'test_a_service_starts_while_rest_is_down_and_declares_when_it_is_back',
        ],
        'the session ends': [
            RECOVERY + 'test_an_expired_routing_cookie_costs_a_handshake_and_no_login',
            RECOVERY + 'test_a_server_that_disconnects_is_connected_to_again_without_a_login',
        ],
        'the token expires or is revoked': [
            RECOVERY + 'test_a_revoked_token_costs_one_login_and_events_flow_again',
            RECOVERY + 'test_http_401_costs_one_login',
            RECOVERY + 'test_streaming_and_rest_share_one_login_before_and_after_the_token_is_revoked',
        ],
        'the credentials are refused': [
            RECOVERY + 'test_refused_credentials_pause_by_minutes_and_the_service_lives',
        ],
        'a channel or a PushTopic is refused': [
            RECOVERY + 'test_a_refused_channel_does_not_stop_the_others',
            RECOVERY + 'test_a_refused_pushtopic_is_told_by_its_name_and_does_not_stop_the_others',
        ],
        'Salesforce is busy, or a limit is reached': [
            RECOVERY + 'test_a_busy_server_is_not_logged_in_to_and_left_alone_for_minutes',
            RECOVERY + 'test_a_limit_at_the_handshake_is_waited_out_in_a_service_that_lives',
            POLICY + 'test_the_daily_limit_at_a_connect_is_waited_out_for_a_long_while',
        ],
        'only a person can help': [
            RECOVERY + 'test_what_does_not_change_by_itself_ends_the_service_where_fail_fast_says_so',
            RUN + 'test_fail_fast_ends_the_process_with_a_status_that_a_supervisor_notices',
        ],
        'the configuration is wrong': [
            RUN + 'test_a_wrong_configuration_names_every_problem_and_ends_the_process',
        ],
        'your service changes a record itself': [
            SERVICE + 'test_salesforce_streaming.py::test_what_the_service_changes_itself_does_not_come_back',
            STREAMING + 'test_changes_of_the_service_come_too_where_they_are_asked_for',
        ],
        'your handler raises': [
            STREAMING + 'test_a_failing_handler_is_logged_and_the_next_event_is_handled',
            POSITIONS + 'test_a_worker_that_ends_without_a_result_has_failed',
            RUNNER + 'test_a_failed_event_is_tried_again_when_its_pause_is_over',
        ],
        'your handler fails for good': [
            POSITIONS + 'test_a_failed_event_is_not_passed_before_something_became_of_it',
            POSITIONS + 'test_a_channel_whose_handler_stops_is_left_alone_and_the_others_go_on',
            STATUS + 'test_a_dead_letter_is_run_again_by_its_handler',
            STATUS + 'test_a_stopped_channel_says_why_and_goes_on_where_it_stopped',
        ],
        'your handler takes too long': [
            POSITIONS + 'test_an_event_whose_handler_takes_too_long_is_tried_again',
            POSITIONS + 'test_a_position_never_passes_an_unfinished_event',
            STATUS + 'test_what_is_under_way_and_how_long_it_waits_is_seen',
        ],
        'two events of one record': [
            POSITIONS + 'test_updates_of_one_record_are_handled_in_order_and_other_records_beside_them',
            'tests/streaming/test_work.py::test_a_retry_holds_its_record_and_no_other',
        ],
        'your handlers are slow': [
            PRESSURE + 'test_handlers_that_stand_still_pause_the_channel_and_cost_neither_session_nor_event',
            SERVICE + 'test_backlog.py::test_a_backlog_by_the_thousand_does_not_grow_the_service',
            CLIENT + 'test_a_backlog_that_outruns_its_callbacks_does_not_grow_memory',
            BRAKE + 'test_a_consumer_that_stands_still_is_paused_and_resumed_and_loses_nothing',
            RUNNER + 'test_at_twice_the_limit_events_wait_in_front_until_there_is_room',
        ],
        'a REST call is not answered': [
            SERVICE + 'test_salesforce_api.py::test_a_request_that_is_not_answered_ends_in_time',
        ],
        'SIGTERM while a poll is held': [
            RUN + 'test_sigterm_during_a_held_poll_of_110_seconds_ends_the_process_promptly',
        ],
    },
    'docs/bayeux.md': {
        'the server goes away': [
            CLIENT + 'test_a_server_that_starts_again_is_found_again',
            SESSION + 'test_pauses_grow_to_the_cap',
        ],
        'the server is down when your service starts': [
            SERVICE
            + 'test_recovery.py::test_a_service_starts_while_its_server_is_down_and_is_served_once_it_is_up'
        ],
        'the server forgets the session': [
            CLIENT + 'test_an_expired_session_is_replaced_and_subscribed_again',
            SESSION + 'test_every_spelling_of_an_unknown_session_leads_to_a_new_one',
        ],
        'a channel is refused': [
            CLIENT + 'test_a_refused_channel_is_logged_once',
            CLIENT + 'test_a_refused_subscription_raises_is_visible_and_is_tried_again',
        ],
        'the server refuses for good': [CLIENT + 'test_a_halt_is_reported_with_its_reason'],
        'HTTP 401, 403, 500, HTML, half an answer': [
            CLIENT + 'test_a_fault_of_the_network_is_survived',
            CLIENT + 'test_an_http_status_is_survived',
        ],
        'your handler raises': [
            SERVICE + 'test_events.py::test_a_failing_handler_is_logged_and_the_next_event_is_handled',
        ],
        'your handlers are slow': [
            SERVICE + 'test_events.py::test_a_full_pool_delays_no_poll_and_loses_no_event',
            CLIENT + 'test_a_backlog_that_outruns_its_callbacks_does_not_grow_memory',
        ],
        'a message above the limit': [
            CLIENT + 'test_a_giant_message_is_skipped_told_and_does_not_come_between',
        ],
        'SIGTERM while a poll is held': [
            SERVICE + 'test_nameko_run.py::test_sigterm_during_a_held_poll_ends_the_process_promptly',
        ],
    },
}


def block(language, containing):
    (found,) = [each.text for each in blocks('README.md', language) if containing in each.text]
    return found


def test_the_first_screen_names_the_two_commands():
    first_screen = README.splitlines()[:35]
    assert any('make demo' in line for line in first_screen)
    assert any('make test' in line for line in first_screen)
    assert len(README.splitlines()) <= 200


def test_the_demo_prints_what_is_shown():
    shown = block('text', 'Handled by the service')
    done = subprocess.run(
        [sys.executable, 'examples/demo.py'], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert shown in done.stdout


def test_the_service_and_its_configuration_are_the_example():
    service = block('python', 'class Contacts')
    assert service == (ROOT / 'examples/contacts.py').read_text()
    lines = [line for line in service.splitlines() if line and not line.startswith('"""')]
    assert len(lines) <= 15
    assert block('yaml', 'SALESFORCE') == (ROOT / 'examples/config.yaml').read_text()


@pytest.mark.parametrize('page', PROOFS)
def test_every_promise_names_a_test_that_exists(page):
    proofs = PROOFS[page]
    for promise in promises(page):
        named = [tests for words, tests in proofs.items() if promise.startswith(words)]
        assert len(named) == 1, f'no proof is named for: {promise}'
        assert named[0], f'no proof is named for: {promise}'
        for proof in named[0]:
            path, _, name = proof.partition('::')
            assert re.search(rf'def {name}\(', (ROOT / path).read_text()), proof
    assert len(proofs) == len(promises(page))
