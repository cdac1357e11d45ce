"""Texts inside SOQL. Floor 3, pure."""

__all__ = ['quote']

# Source: SOQL and SOSL Reference, "Quoted String Escape Sequences". The same eight as
# `simple_salesforce.format`, which cannot be imported without requests; a test compares them.
_ESCAPES = str.maketrans(
    {
        '\\': r'\\',
        "'": r'\'',
        '"': r'\"',
        '\n': r'\n',
        '\r': r'\r',
        '\t': r'\t',
        '\b': r'\b',
        '\f': r'\f',
    }
)


def quote(text: str) -> str:
    """A text as a SOQL literal: in quotes, with all that is special escaped."""
    return f"'{text.translate(_ESCAPES)}'"
