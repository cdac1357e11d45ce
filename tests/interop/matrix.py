"""What each pair of programs was seen to do: the matrix at the end of a run. Pure."""

from collections import defaultdict
from collections.abc import Iterator

__all__ = ['MISSING', 'ROWS', 'Matrix']

ROWS = (
    'handshake',
    'subscribe',
    'wildcard',
    'publish',
    'batch',
    'held poll',
    'session expiry',
    'server restart',
    'acknowledge extension',
    'disconnect',
    '10,000 events',
)

# Cells that cannot be: (row, program) -> the known difference that says why.
MISSING = {('acknowledge extension', 'faye'): 'no acknowledge extension'}

PROGRAMS = {'cometd': 'CometD for Node', 'java': 'CometD for Java', 'faye': 'faye'}


class Matrix:
    """Collects outcomes of tests."""

    def __init__(self) -> None:
        self._cells: dict[tuple[str, str, str], list[bool]] = defaultdict(list)

    def add(self, row: str, ours: str, program: str, passed: bool) -> None:
        """One test.

        Args:
            ours: 'client' or 'fake': what was judged.
            program: by whom.
        """
        self._cells[row, ours, program].append(passed)

    def lines(self) -> Iterator[str]:
        """The table, line by line; nothing where no test of it was run."""
        pairs = sorted({(ours, program) for _, ours, program in self._cells})
        if not pairs:
            return
        heads = [f'our {ours}, {PROGRAMS[program]}' for ours, program in pairs]
        yield f'{"":22}' + '  '.join(heads)
        for row in ROWS:
            cells = [
                f'{self._cell(row, ours, program):{len(head)}}'
                for (ours, program), head in zip(pairs, heads, strict=True)
            ]
            yield f'{row:22}' + '  '.join(cells)

    def _cell(self, row: str, ours: str, program: str) -> str:
        outcomes = self._cells.get((row, ours, program), [])
        if outcomes:
            return 'yes' if all(outcomes) else 'FAILED'
        return 'has none' if (row, program) in MISSING else 'not run'
