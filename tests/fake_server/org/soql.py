"""SOQL: text to a tree. What it means is decided in `binding`. Pure.

The grammar knows more than the org can run (sub-selects, aggregates, TYPEOF): PushTopics have a text of
their own for each of them. Source: SOQL and SOSL Reference.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedInput, UnexpectedToken, v_args
from lark.exceptions import VisitError

from .errors import malformed_query
from .moments import LITERALS, parse_date, parse_datetime
from .syntax import (
    ESCAPE,
    ESCAPES,
    All,
    Comparison,
    Construct,
    DateLiteral,
    Either,
    Literal,
    Not,
    Ordering,
    Path,
    Query,
    SemiJoin,
    Text,
    Tree,
)

__all__ = ['parse', 'pointed']

MAX_CHARACTERS = 100_000  # SOQL reference, "SOQL Limits"

# Keywords have priority over names where both may stand; where only a name may stand, `Order` is a name.
_GRAMMAR = r"""
query: SELECT item ("," item)* FROM NAME [NAME] where? group? order? limit? offset?

?item: path
    | NAME "(" path? ")" [NAME]                       -> function
    | "(" query ")"                                   -> sub_select
    | TYPEOF path branch+ [ELSE paths] END            -> typeof
branch: WHEN NAME THEN paths
paths: path ("," path)*
path: NAME ("." NAME)*

where: WHERE condition
?condition: unit
    | unit (AND unit)+                                -> all
    | unit (OR unit)+                                 -> either
?unit: NOT unit                                       -> negated
    | "(" condition ")"
    | path OPERATOR value                             -> test
    | path LIKE value                                 -> test
    | path IN "(" value ("," value)* ")"              -> member
    | path NOT IN "(" value ("," value)* ")"          -> not_member
    | path NOT? IN "(" query ")"                      -> semi_join

group: GROUP BY paths having?
having: HAVING NAME "(" path? ")" OPERATOR value

order: ORDER BY ordering ("," ordering)*
ordering: path [ASC | DESC] [NULLS (FIRST | LAST)]
limit: LIMIT NUMBER
offset: OFFSET NUMBER

?value: STRING -> text
    | NUMBER   -> number
    | DATE     -> day
    | DATETIME -> moment
    | TRUE     -> true
    | FALSE    -> false
    | NULL     -> null
    | LITERAL  -> literal

STRING: /'(?:[^'\\]|\\.)*'/s
DATETIME.4: /\d{4}-\d{2}-\d{2}T[0-9:.]+(?:Z|[+-]\d{2}:?\d{2})/i
DATE.3: /\d{4}-\d{2}-\d{2}\b/
NUMBER: /[+-]?\d{1,18}(?:\.\d{1,18})?\b/
LITERAL.2: /(?:%LITERALS%)(?::\d{1,4})?\b/i
OPERATOR: /<=|>=|<>|!=|=|<|>/
NAME: /[A-Za-z]\w*/
%KEYWORDS%
%import common.WS
%ignore WS
"""
_KEYWORDS = (
    'SELECT FROM WHERE AND OR NOT LIKE IN GROUP BY HAVING ORDER ASC DESC NULLS FIRST LAST LIMIT OFFSET'
)
_KEYWORDS += ' TYPEOF WHEN THEN ELSE END TRUE FALSE NULL'

_PARSER = Lark(
    _GRAMMAR.replace('%LITERALS%', '|'.join(sorted(LITERALS))).replace(
        '%KEYWORDS%', '\n'.join(rf'{word}.2: /{word}\b/i' for word in _KEYWORDS.split())
    ),
    start='query',
    parser='lalr',
    maybe_placeholders=True,
)


def parse(text: str) -> Query:
    """The query in this text.

    Raises:
        OrgError: `MALFORMED_QUERY`, with the place of the mistake.
    """
    if len(text) > MAX_CHARACTERS:
        raise malformed_query(f'SOQL statements cannot be longer than {MAX_CHARACTERS} characters')
    try:
        return _Builder(text).transform(_PARSER.parse(text))
    except RecursionError:
        raise malformed_query('Conditions are nested too deeply') from None
    except VisitError as error:
        if isinstance(error.orig_exc, RecursionError):
            raise malformed_query('Conditions are nested too deeply') from None
        raise error.orig_exc from None
    except UnexpectedInput as error:
        raise malformed_query(_explained(text, error)) from None


def pointed(text: str, column: int, problem: str) -> str:
    """A problem with its place in the query, as Salesforce shows it; `column` counts characters from 1."""
    before = text[: column - 1]
    row = before.count('\n') + 1
    in_row = column - 1 - (before.rfind('\n') + 1)
    line = text.split('\n')[row - 1]
    return f'\n{line}\n{" " * in_row}^\nERROR at Row:{row}:Column:{in_row + 1}\n{problem}'


def _explained(text: str, error: UnexpectedInput) -> str:
    """What the parser did not expect."""
    match error:
        case UnexpectedToken(token=Token(type='$END')):
            return pointed(text, len(text) + 1, "unexpected token: '<EOF>'")
        case UnexpectedToken(token=Token() as token):
            return pointed(text, _column(token), f"unexpected token: '{token}'")
        case _:
            position = error.pos_in_stream or 0
            if text[position] == "'":
                return pointed(text, position + 1, 'string literal is not terminated')
            return pointed(text, position + 1, f"unexpected token: '{text[position]}'")


@v_args(inline=True)
class _Builder(Transformer[Token, Query]):
    """The parser's tree to ours; methods carry the names of its branches."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def query(self, _select: Token, *rest: Any) -> Query:
        fields: list[Path] = []
        constructs: set[Construct] = set()
        clauses: dict[str, Any] = {}
        start = next(place for place, each in enumerate(rest) if isinstance(each, Token))  # FROM
        _from, name, alias, *_clauses = rest[start:]
        counts = 0  # of `COUNT()`
        for each in rest:
            match each:
                case Path():
                    fields.append(each)
                case _Function(plain_count=True):
                    counts += 1
                case _Function() | Construct.AGGREGATE:
                    constructs.add(Construct.AGGREGATE)
                case Construct():
                    constructs.add(each)
                case _Clause(name=clause, value=value):
                    clauses[clause] = value
        if counts > 1 or (counts and fields):
            constructs.add(Construct.AGGREGATE)
        where = clauses.get('where')
        if _has_semi_join(where):
            constructs.add(Construct.SEMI_JOIN)
        if 'group' in clauses:
            constructs.add(Construct.AGGREGATE)
        return Query(
            text=self._text,
            fields=tuple(fields),
            count=bool(counts),
            sobject=str(name),
            column=_column(name),
            alias=None if alias is None else str(alias),
            where=where,
            order=clauses.get('order', ()),
            limit=clauses.get('limit'),
            offset=clauses.get('offset'),
            constructs=frozenset(constructs),
        )

    def path(self, *names: Token) -> Path:
        return Path(tuple(str(each) for each in names), _column(names[0]))

    def function(self, name: Token, *rest: object) -> '_Function':
        return _Function(name.upper() == 'COUNT' and not any(isinstance(each, Path) for each in rest))

    def sub_select(self, _query: Query) -> Construct:
        return Construct.SUB_SELECT

    def typeof(self, *_parts: object) -> Construct:
        return Construct.TYPEOF

    def where(self, _word: Token, condition: Tree) -> '_Clause':
        return _Clause('where', condition)

    def all(self, *parts: Any) -> All:
        return All(tuple(each for each in parts if not isinstance(each, Token)))

    def either(self, *parts: Any) -> Either:
        return Either(tuple(each for each in parts if not isinstance(each, Token)))

    def negated(self, _word: Token, part: Tree) -> Not:
        return Not(part)

    def test(self, path: Path, operator: Token, value: Literal) -> Comparison:
        return Comparison(path, '!=' if operator == '<>' else operator.upper(), (value,))

    def member(self, path: Path, _in: Token, *values: Literal) -> Comparison:
        return Comparison(path, 'IN', values)

    def not_member(self, path: Path, _not: Token, _in: Token, *values: Literal) -> Comparison:
        return Comparison(path, 'NOT IN', values)

    def semi_join(self, path: Path, *_rest: object) -> SemiJoin:
        return SemiJoin(path)

    def group(self, *_parts: object) -> '_Clause':
        return _Clause('group', None)

    def order(self, _order: Token, _by: Token, *keys: Ordering) -> '_Clause':
        return _Clause('order', keys)

    def ordering(self, path: Path, direction: Token | None, *nulls: Token | None) -> Ordering:
        words = {each.type for each in (direction, *nulls) if each is not None}
        return Ordering(path, descending='DESC' in words, nulls_last='LAST' in words)

    def limit(self, _word: Token, number: Token) -> '_Clause':
        return _Clause('limit', self._whole(number))

    def offset(self, _word: Token, number: Token) -> '_Clause':
        return _Clause('offset', self._whole(number))

    def text(self, token: Token) -> Text:
        raw = str(token[1:-1])
        for found in ESCAPE.finditer(raw):
            if len(found[1]) == 1 and found[1] not in ESCAPES:
                problem = f"Illegal character sequence '{found[0]}' in string literal"
                raise malformed_query(
                    pointed(self._text, _column(token), f'Invalid string literal. {problem}')
                )
        return Text(raw)

    def number(self, token: Token) -> int | float:
        return float(token) if '.' in token else int(token)

    def day(self, token: Token) -> date:
        try:
            return parse_date(token)
        except ValueError:
            raise malformed_query(pointed(self._text, _column(token), f'Invalid date: {token}')) from None

    def moment(self, token: Token) -> datetime:
        try:
            return parse_datetime(token.upper())
        except ValueError:
            raise malformed_query(pointed(self._text, _column(token), f'Invalid datetime: {token}')) from None

    def true(self, _token: Token) -> bool:
        return True

    def false(self, _token: Token) -> bool:
        return False

    def null(self, _token: Token) -> None:
        return None

    def literal(self, token: Token) -> DateLiteral:
        name, _, number = token.upper().partition(':')
        if ('_N_' in name) != bool(number):
            raise malformed_query(pointed(self._text, _column(token), f"unexpected token: '{token}'"))
        return DateLiteral(name, int(number) if number else None)

    def _whole(self, token: Token) -> int:
        if not token.isdigit():
            raise malformed_query(pointed(self._text, _column(token), f"unexpected token: '{token}'"))
        return int(token)


@dataclass(frozen=True, slots=True)
class _Function:
    """A function of the SELECT clause; `COUNT()` is the one that is run."""

    plain_count: bool


@dataclass(frozen=True, slots=True)
class _Clause:
    """What stands behind the object's name."""

    name: str
    value: Any


def _column(token: Token) -> int:
    return (token.start_pos or 0) + 1


def _has_semi_join(tree: Tree | None) -> bool:
    match tree:
        case All(parts=parts) | Either(parts=parts):
            return any(_has_semi_join(each) for each in parts)
        case Not(part=part):
            return _has_semi_join(part)
        case _:
            return isinstance(tree, SemiJoin)
