"""The process of the service, and its ends."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.services.child import end_child, start_child

__all__ = ['Service']

ROOT = Path(__file__).parents[2]

LOGGING = {
    'version': 1,
    'disable_existing_loggers': False,
    'formatters': {'line': {'format': '%(asctime)s %(levelname)s %(name)s %(message)s'}},
    'handlers': {'console': {'class': 'logging.StreamHandler', 'formatter': 'line'}},
    'root': {'level': 'INFO', 'handlers': ['console']},
}


class Service:
    """`nameko run`, again and again.

    Args:
        module: of the service.
        folder: for configuration, log and diary.
        section: `SALESFORCE`.
        seed: of what its handlers draw.
        verbose: log all that the library says.

    Attributes:
        diary: what its handlers wrote.
        log: of all lives.
        life: 1, 2, 3, ...; 0 before the first.
        environment: of the next life, besides what it needs.
    """

    def __init__(
        self, module: str, folder: Path, section: Mapping[str, Any], seed: str, *, verbose: bool
    ) -> None:
        self._module = module
        self.diary = folder / 'diary'
        self.log = folder / 'service.log'
        self.life = 0
        self.environment: dict[str, str] = {}
        self._folder = folder
        self._seed = seed
        self._config = folder / 'config.yaml'
        logging = {**LOGGING, 'loggers': {'nameko_salesforce': {'level': 'DEBUG' if verbose else 'INFO'}}}
        config = {'SALESFORCE': section, 'LOGGING': logging, 'max_workers': 30}
        self._config.write_text(json.dumps(config))  # JSON is YAML
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.life += 1
        with self.log.open('a') as log:
            log.write(f'=== life {self.life}\n')
        environment = {
            **os.environ,
            **self.environment,
            'PYTHONPATH': str(ROOT),
            'PYTHONWARNINGS': 'ignore',
            'CRASH_LIFE': str(self.life),
            'CRASH_DIARY': str(self.diary),
            'CRASH_SEED': self._seed,
        }
        nameko = str(Path(sys.executable).with_name('nameko'))
        self._process = start_child(
            [nameko, 'run', self._module, '--config', str(self._config)],
            folder=ROOT,
            log=self.log,
            environment=environment,
        )

    @property
    def status(self) -> int | None:
        """The exit status of the living or last process; None while it lives."""
        assert self._process is not None
        return self._process.poll()

    def kill(self) -> None:
        """SIGKILL. Nothing where it does not live."""
        process, self._process = self._process, None
        if process is not None:
            end_child(process)

    def terminate(self, patience: float) -> int | None:
        """SIGTERM; gives the exit status, None where it took longer than so many seconds."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(patience)
        except subprocess.TimeoutExpired:
            return None
        finally:
            self.kill()
