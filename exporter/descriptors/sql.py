"""Whether a text is SQL, as sqlglot parses it; texts are never run."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import Annotated

from exporter.descriptors._registry import Result, Texts, descriptor
from exporter.options import Checked

LONGEST = 20_000  # characters: a parser in Python takes some ten microseconds for each
# What counts as a statement. Expressions (`hello world` is a column with an alias) and what sqlglot
# only passes on (`show me the money`, `call me`) are none.
_STATEMENTS = (
    "Query", "Values", "Insert", "Update", "Delete", "Merge", "Create", "Drop", "Alter",
    "TruncateTable", "Grant", "Revoke", "Set", "Copy", "Transaction", "Commit", "Rollback",
)  # fmt: skip


def _known_dialect(dialect: str) -> str:
    """The dialect, if sqlglot has it; without sqlglot nobody knows."""
    if find_spec("sqlglot") is not None:
        from sqlglot.dialects import Dialect

        Dialect.get_or_raise(dialect)
    return dialect


@descriptor(kind="categorical", distinct=True, module="sqlglot")
def is_valid_sql(texts: Texts, *, dialect: Annotated[str, Checked(_known_dialect)] = "") -> Result:
    """Whether the text is SQL: one or more queries, or changes of data or tables.

    Parsed by sqlglot, by default in the dialect that takes most; never run. Of texts beyond
    20,000 characters nobody knows: they have no value.
    """
    judge = _judge(dialect)
    return [None if len(text) > LONGEST else judge(text) for text in texts.to_pylist()]


@cache
def _judge(dialect: str) -> Callable[[str], bool]:
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    kinds = tuple(getattr(exp, name) for name in _STATEMENTS if hasattr(exp, name))
    # it warns of every statement that it only passes on: a line for a text
    logging.getLogger("sqlglot").setLevel(logging.ERROR)

    def is_sql(text: str) -> bool:
        try:
            found = [s for s in sqlglot.parse(text, dialect=dialect or None) if s is not None]
        except (SqlglotError, RecursionError, ValueError):
            return False
        return bool(found) and all(isinstance(statement, kinds) for statement in found)

    return is_sql
