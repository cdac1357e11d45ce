"""The user guide, taken apart into blocks and tables, so that tests can hold it to the code."""

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

__all__ = ['GUIDE', 'ROOT', 'Block', 'blocks', 'commands', 'links', 'promises', 'table']

ROOT = Path(__file__).parents[2]

GUIDE = (
    'README.md',
    'docs/bayeux.md',
    'docs/configuration.md',
    'docs/fake-server.md',
    'docs/handlers.md',
    'docs/login.md',
    'docs/migration.md',
    'docs/operations.md',
    'docs/positions.md',
    'docs/proof.md',
    'docs/push-topics.md',
    'docs/rest.md',
    'docs/streaming.md',
    'docs/testing.md',
)

_BLOCK = re.compile(r'^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$', re.M | re.S)
_NOT_RUN = re.compile(r'<!-- not run: (.+?) -->\n\s*$')


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block.

    Attributes:
        line: where it begins.
        not_run: what the marker in front of it says, '' if there is none.
    """

    page: str
    line: int
    language: str
    text: str
    not_run: str

    def __str__(self) -> str:
        return f'{self.page}:{self.line}'


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding='utf-8')


def blocks(page: str, language: str | None = None) -> list[Block]:
    """The blocks of a page, in order."""
    text = read(page)
    found = []
    for match in _BLOCK.finditer(text):
        marker = _NOT_RUN.search(text[: match.start()])
        found.append(
            Block(
                page,
                text.count('\n', 0, match.start()) + 1,
                match['language'],
                textwrap.dedent(match['text']),
                marker[1] if marker else '',
            )
        )
    return [each for each in found if language is None or each.language == language]


def table(page: str, *header: str) -> list[list[str]]:
    """The rows of the one table with this header, as texts of cells."""
    lines = read(page).splitlines()
    places = [
        place for place, line in enumerate(lines) if line.startswith('|') and _cells(line) == list(header)
    ]
    assert len(places) == 1, f'{page}: {len(places)} tables with the header {header}'
    rows = []
    for line in lines[places[0] + 2 :]:
        if not line.startswith('|'):
            break
        rows.append(_cells(line))
        assert len(rows[-1]) == len(header), f'{page}: a row of another length: {line}'
    return rows


def _cells(line: str) -> list[str]:
    return [cell.strip().replace(r'\|', '|') for cell in re.split(r'(?<!\\)\|', line)[1:-1]]


def promises(page: str) -> list[str]:
    """What happens, in the table of what one sees then."""
    return [row[0] for row in table(page, 'what happens', 'what you see')]


def commands(block: Block) -> list[str]:
    """The commands of a console block, each in one line, without comments."""
    joined = block.text.replace('\\\n', ' ')
    found = [line.removeprefix('$ ') for line in joined.splitlines() if line.startswith('$ ')]
    assert len(found) == len(joined.splitlines()), f'{block}: a line is no command'
    return [re.sub(r'\s+#.*$', '', line).strip() for line in found]


def links(page: str) -> list[str]:
    """The targets of the links to files of ours."""
    text = re.sub(r'^ *```.*?^ *```$', '', read(page), flags=re.M | re.S)
    return [target for target in re.findall(r'\]\(([^)]+)\)', text) if not target.startswith('http')]
