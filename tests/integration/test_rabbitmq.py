"""The tests' own RabbitMQ, and services behind it."""

import subprocess
import sys
import time
from pathlib import Path

import eventlet
import pytest
from nameko.rpc import rpc

from tests.integration import rabbitmq
from tests.integration.rabbitmq import RabbitMQ, call_rpc
from tests.integration.test_nameko_run import PROMPT, START, Process


class Greeter:
    name = 'greeter'

    @rpc
    def greet(self, name):
        if not name:
            raise LookupError('nobody there')
        return f'Hello, {name}!'


def test_a_service_answers_rpc(rabbit, container_factory):
    container_factory(Greeter, {'AMQP_URI': rabbit}).start()
    assert call_rpc(rabbit, 'greeter', 'greet', 'Ada') == 'Hello, Ada!'


def test_what_a_method_raises_comes_back(rabbit, container_factory, log):
    log.expect_error('error handling worker')
    container_factory(Greeter, {'AMQP_URI': rabbit}).start()
    with pytest.raises(Exception, match='nobody there'):
        call_rpc(rabbit, 'greeter', 'greet', '')


def test_a_service_under_nameko_run_is_waited_for_and_answers(rabbit, tmp_path):
    process = Process('programs:Adding', {'AMQP_URI': rabbit}, tmp_path)
    try:
        assert call_rpc(rabbit, 'adding', 'add', 2, 3, timeout=START) == 5
        process.terminate()
        assert process.status(PROMPT) == 0
    finally:
        process.end()


def test_each_test_has_a_virtual_host_of_its_own(broker, rabbit, container_factory):
    container_factory(Greeter, {'AMQP_URI': rabbit}).start()
    with pytest.raises(TimeoutError, match='waited 2 s for such a service'):
        call_rpc(broker.vhost(), 'greeter', 'greet', 'Ada', timeout=2)


def test_a_call_without_a_broker_says_so():
    with (
        rabbitmq.reserved_port() as port,
        pytest.raises(TimeoutError, match='waited 0.2 s for a broker'),
    ):
        call_rpc(f'amqp://guest:guest@127.0.0.1:{port}/test', 'greeter', 'greet', 'Ada', timeout=0.2)


def test_a_broker_that_ends_while_it_starts_is_named_with_its_log(tmp_path, monkeypatch):
    program = tmp_path / 'rabbitmq-server'
    program.write_text('#!/bin/sh\necho no room; exit 1\n')
    program.chmod(0o755)
    monkeypatch.setattr(rabbitmq, 'PROGRAM', program)
    with pytest.raises(RuntimeError, match='(?s)a process has ended.*no room'), RabbitMQ(tmp_path):
        pass


def test_a_missing_program_is_named_with_its_package(tmp_path, monkeypatch):
    monkeypatch.setattr(rabbitmq, 'PROGRAM', tmp_path / 'nowhere')
    with pytest.raises(RuntimeError, match='install the Debian package rabbitmq-server'), RabbitMQ(tmp_path):
        pass


def test_a_second_broker_runs_beside_the_first_and_ends_with_a_killed_test_run(rabbit, tmp_path):
    # Not patched, as a script would use it.
    script = (
        'import pathlib, sys; from tests.integration.rabbitmq import RabbitMQ\n'
        f'with RabbitMQ(pathlib.Path({str(tmp_path)!r})) as broker:\n'
        '    broker.vhost(); print(*broker.processes, flush=True); sys.stdin.read()'
    )
    run = subprocess.Popen(
        [sys.executable, '-W', 'ignore', '-c', script],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with run, eventlet.Timeout(rabbitmq.START):
        try:
            processes = run.stdout.readline().decode().split()
            assert 'epmd' in command(processes[0])
            assert 'beam' in command(processes[1])
        finally:
            run.kill()
    end = time.monotonic() + rabbitmq.ANSWER
    while any(map(command, processes)):
        assert time.monotonic() < end, f'still there: {list(map(command, processes))}'
        eventlet.sleep(0.02)
    assert rabbitmq.refusal(rabbit) is None


def command(process):
    """The command line of a process; empty when it has ended, even if nobody has asked for its status."""
    try:
        return Path('/proc', process, 'cmdline').read_text()
    except OSError:
        return ''
