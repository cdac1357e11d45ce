"""A service that listens to a server which is not ours: it writes down what it is given, a line each."""

import os
from pathlib import Path
from typing import Any

from nameko_salesforce.streaming import handle_gap, handle_platform_event

__all__ = ['Listener']


def _note(line: str) -> None:
    with Path(os.environ['LISTENER_NOTES']).open('a') as file:
        file.write(line + '\n')


class Listener:
    name = 'listener'

    @handle_platform_event('Reading__e', start='earliest')
    def read(self, name: str, event: Any) -> None:
        _note(f'event {event.payload["Number__c"]}')

    @handle_gap
    def notice(self, gap: Any) -> None:
        _note(f'gap {gap.chosen.value}')
