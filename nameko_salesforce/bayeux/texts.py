"""How values stand in texts for people. Floor 0: imports nothing."""

__all__ = ['shown']


def shown(value: object) -> str:
    """A wrong value in the text of an error: its `repr`, 100 characters at most. Raises nothing."""
    try:
        said = repr(value)
    except Exception:
        # A whole number of more digits than Python spells, lists in lists without an end.
        said = f'a {type(value).__name__} that cannot be shown'
    return said if len(said) <= 100 else f'{said[:97]}...'
