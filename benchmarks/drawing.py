"""Draws the tables with rich."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from benchmarks.figures import Figures
from benchmarks.table import COLUMNS, VERDICTS, figure_rows, target_row
from benchmarks.targets import Target

__all__ = ['draw_figures', 'draw_targets']


def draw_figures(figures: Figures, patterns: Sequence[str], title: str, console: Console) -> None:
    table = Table(title=title, title_justify='left')
    for number, name in enumerate(COLUMNS):
        table.add_column(name, justify='left' if number == 0 else 'right', no_wrap=True)
    for pattern in patterns:
        table.add_section()
        table.add_row(f'[bold]{pattern}[/]')
        for row in figure_rows(figures, pattern):
            table.add_row(*row)
    console.print(table)


def draw_targets(targets: Sequence[Target], console: Console) -> None:
    table = Table(title='Targets: median, and the least and the most of all runs', title_justify='left')
    for name, justify in (('target', 'left'), ('at most', 'right'), ('measured', 'right'), ('', 'left')):
        table.add_column(name, justify=justify, no_wrap=True)
    colours = dict(zip(VERDICTS, ('green', 'bold red', 'yellow'), strict=True))
    for target in targets:
        *cells, verdict = target_row(target)
        table.add_row(*cells, f'[{colours[verdict]}]{verdict}[/]')
    console.print(table)
