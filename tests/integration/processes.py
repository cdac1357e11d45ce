"""Services under `nameko run`, in processes of their own."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import eventlet
import pytest

__all__ = ['START', 'Process']

HERE = Path(__file__).parent
SLOWNESS = float(os.environ.get('TIME_FACTOR', '1'))

# Seconds: an interpreter, Nameko and a subscription.
START = 30.0 * SLOWNESS


class Process:
    """A `nameko run`.

    Args:
        service: module of the service.
        config: of Nameko.
        folder: an empty one, for configuration and log.
        code: where the module is.
    """

    def __init__(self, service, config, folder, code=HERE):
        config_file = folder / 'config.yaml'
        config_file.write_text(json.dumps(config))  # JSON is YAML
        self._log = folder / 'log'
        with self._log.open('wb') as out:
            self._process = subprocess.Popen(
                [Path(sys.executable).with_name('nameko'), 'run', service, '--config', config_file],
                stdout=out,
                stderr=out,
                env={**os.environ, 'PYTHONPATH': str(code), 'PYTHONWARNINGS': 'ignore'},
            )

    @property
    def log(self):
        return self._log.read_text()

    def wait_for(self, text):
        end = time.monotonic() + START
        while text not in self.log:
            if time.monotonic() > end or self._process.poll() is not None:
                pytest.fail(f'the service never logged {text!r}:\n{self.log}')
            eventlet.sleep(0.01)

    def terminate(self):
        self._process.send_signal(signal.SIGTERM)

    def status(self, within):
        """The exit status; a failure if the process takes longer."""
        try:
            return self._process.wait(within)
        except subprocess.TimeoutExpired:
            pytest.fail(f'the process did not end within {within:g} s:\n{self.log}')

    def end(self):
        """Whatever happened, leave no process."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
