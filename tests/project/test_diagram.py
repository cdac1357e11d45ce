"""What docs/ shows of the states is what the tables are."""

import re
import subprocess
import sys
from pathlib import Path

from nameko_salesforce.bayeux.transitions import CHANNEL, CONNECTION, State

ROOT = Path(__file__).parents[2]
DRAWN = (ROOT / 'docs/session.md').read_text()


def test_the_documents_are_drawn_from_the_tables_of_today():
    done = subprocess.run(
        [sys.executable, ROOT / 'tools/diagram.py', '--check'], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_row_stands_in_the_document_with_its_reason():
    for (state, event), row in CONNECTION.items():
        assert f'| `{state.name}` | {event.value} | `{row.next.name}` | {row.do.value} | {row.why} |' in DRAWN
    for (state, event), after in CHANNEL.items():
        assert f'| `{state.name}` | {event.value} | `{after.name}` |' in DRAWN


def test_the_picture_of_the_connection_is_small_and_shows_every_state():
    picture = DRAWN.partition('```mermaid')[2].partition('```')[0]
    arrows = re.findall(r'(\S+) --> (\S+?)(?::|$)', picture, re.MULTILINE)
    assert len(arrows) <= 20
    assert {name for arrow in arrows for name in arrow} == {state.name for state in State} | {'[*]'}
