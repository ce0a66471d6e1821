"""The door: paths, pandas frames and Arrow tables become batches, and their columns a schema."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from numbers import Real
from pathlib import Path
from typing import Any

import pyarrow as pa

from exporter.batch import KINDS, TASKS, Batch, Kind, Schema, Task
from exporter.errors import BatchError, PlanError, nearest
from exporter.options import as_names
from exporter.sources.batches import batch_of, parquet_batch
from exporter.sources.inference import inferred
from exporter.sources.listing import found
from exporter.sources.reading import Wanted, labels_of, read_file
from exporter.sources.tables import checked_names, marked, stacked

ROLES = (
    "time", "id", "target", "prediction", "probability", "positive", "threshold", "user", "item",
    "embeddings", "ignore", "missing_values",
)  # fmt: skip
_TASKS_OF_OTHERS = {"classification": "; say binary or multiclass", "recsys": "; say ranking"}
_TOLD = 5  # names in one warning
_ONE_COLUMN = ("target", "prediction", "probability", "id", "user", "item")


def open_batch(
    data: Any, schema: Schema | None = None, missing: Sequence[str | float] = ()
) -> Batch:
    """A batch over a path (file, glob or folder of parquet, csv or jsonl), pandas frame or Arrow table.

    A single large parquet file is read column by column, when a column is asked for. With a
    *schema* csv categories are read as the text they are. Its missing values, or those that are
    given, become null. Raises BatchError for what cannot be read.
    """
    missing = schema.missing_values if schema else missing
    if not isinstance(data, str | Path):
        return batch_of(marked(arrow_table(data), missing))
    files = found(str(data), Path())
    if len(files) == 1 and files[0].format == "parquet" and not files[0].partitions:
        return parquet_batch(files[0].path, missing)
    return batch_of(marked(stacked([read_file(file, _how(schema)) for file in files]), missing))


def open_table(data: Any) -> pa.Table:
    """All rows and columns of what `open_batch` takes."""
    if isinstance(data, str | Path):
        return stacked([read_file(file) for file in found(str(data), Path())])
    return arrow_table(data)


def open_with_schema(
    data: Any,
    columns: Mapping[str, Any] | None,
    task: Task | None,
    elsewhere: Collection[str] = (),
) -> tuple[Batch, Schema]:
    """A batch with the schema that is declared for it or that it shows.

    A declared column may also be *elsewhere*: in the other of two data that are compared.
    """
    declared = _declared(columns or {}, task)
    batch = open_batch(data, declared if declared.kinds else None, declared.missing_values)
    schema = resolve_schema(batch, columns, task, elsewhere)
    return (batch if declared.kinds else read_again(data, batch, schema)), schema


def read_again(data: Any, batch: Batch, schema: Schema) -> Batch:
    """The batch as the schema says, once that is known: in a file of text `007` is a category, not seven."""
    files = found(str(data), Path()) if isinstance(data, str | Path) else []
    if all(file.format == "parquet" for file in files):
        return batch
    wanted = Wanted(labels=labels_of(schema))
    return batch_of(
        marked(stacked([read_file(file, wanted) for file in files]), schema.missing_values)
    )


def resolve_schema(
    batch: Batch,
    columns: Mapping[str, Any] | None,
    task: Task | None,
    elsewhere: Collection[str] = (),
) -> Schema:
    """The schema from the declaration (what stands under `columns:`), or from the data's types.

    Warns of columns that are left out because they hold nothing. Raises PlanError for keys that do
    not exist and columns that the data does not have.
    """
    schema = _declared(columns or {}, task)
    roles = schema.roles
    _must_be_there([*schema.kinds, *roles, *schema.apart], {*batch.types, *elsewhere})
    _tell_of_absent((columns or {}).get("id"), batch)
    _tell_of_absent(_time(columns or {}), batch)
    if schema.kinds:
        return schema
    given = columns or {}
    left_out = {*_names(given, "ignore"), given.get("id"), *schema.apart}
    kinds, lines = inferred(batch, schema, left_out, "the data")
    for line in lines:
        warnings.warn(line, stacklevel=2)
    features = tuple(
        n
        for n, k in kinds.items()
        if k in ("numerical", "categorical") and n not in (*roles, *schema.pair)
    )
    return replace(schema, kinds=kinds, features=features)


def _declared(columns: Mapping[str, Any], task: Task | None) -> Schema:
    """The schema as far as the declaration tells it: what a config's `columns:` would give."""
    _refuse_unknown(columns)
    if task is not None and task not in TASKS:
        hint = _TASKS_OF_OTHERS.get(task) or nearest(task, TASKS)
        raise PlanError(f"task: there is no task {task!r}{hint}")
    kinds: dict[str, Kind] = {}
    for kind in KINDS:
        for name in _names(columns, kind):
            if kinds.setdefault(name, kind) != kind:
                raise PlanError(f"columns: {name!r} is listed under {kinds[name]} and {kind}")
    bare = _without_kinds(columns, task)
    no_features = {*bare.roles, *bare.pair, columns.get("id"), _time(columns)}
    features = tuple(n for n, k in kinds.items() if k != "datetime" and n not in no_features)
    if kinds:
        kinds |= {n: k for n, k in bare.roles.items() if n not in kinds}
    for name in bare.embeddings:
        if name in kinds:
            raise PlanError(f"columns: {name!r} is the name of a column and of embeddings")
    return replace(bare, kinds=kinds, features=features)


def _without_kinds(columns: Mapping[str, Any], task: Task | None) -> Schema:
    positive, given = _label(columns.get("positive", 1)), columns.get("probability")
    by_class = (
        {_label(key): name for key, name in given.items()} if isinstance(given, Mapping) else {}
    )
    many = by_class if task == "multiclass" else {}
    if task == "multiclass" and given is not None and len(many) < 2:
        raise PlanError("columns: 'probability' should be {class: column}, for every class")
    return Schema(
        {},
        (),
        columns.get("target"),
        columns.get("prediction"),
        None if many else by_class.get(positive) if isinstance(given, Mapping) else given,
        positive,
        task or "none",
        float(columns.get("threshold", 0.5)),
        probabilities=many,
        user=columns.get("user"),
        item=columns.get("item"),
        missing_values=nulls_of(columns.get("missing_values")),
        embeddings={name: tuple(names) for name, names in _sets(columns).items()},
    )


def _sets(columns: Mapping[str, Any]) -> Mapping[str, Sequence[str]]:
    """The columns of each set of embeddings."""
    given = columns.get("embeddings") or {}
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        raise PlanError("columns: 'embeddings' should be {name: [columns]}")
    sets = {name: _names(given, name) for name in given}
    for name, names in sets.items():
        if not names:
            raise PlanError(f"columns: the embeddings {name!r} have no columns")
    return sets


def nulls_of(given: Any) -> tuple[str | float, ...]:
    """What counts as missing beside null, as a schema has it; a PlanError for anything else."""
    values = () if given is None else given
    if isinstance(values, str | Mapping) or not isinstance(values, Iterable):
        raise PlanError("missing_values: expected a list, such as ['', 'n/a', -999]")
    found = tuple([value for value in values if value is not None])
    for value in found:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise PlanError(f"missing_values: {value!r} is neither text nor a number")
    return found


def _time(columns: Mapping[str, Any]) -> str | None:
    given = columns.get("time")
    return given.get("column") if isinstance(given, Mapping) else given


def _refuse_unknown(columns: Mapping[str, Any]) -> None:
    known = (*KINDS, *ROLES)
    if not isinstance(columns, Mapping):
        raise PlanError("columns: expected a mapping, such as {'numerical': ['age']}")
    for key in columns:
        if key not in known:
            raise PlanError(f"columns: there is no key {key!r}" + nearest(key, known))
    for role in _ONE_COLUMN:
        form = str | None if role != "probability" else str | Mapping | None
        if not isinstance(columns.get(role), form):
            raise PlanError(f"columns: {role!r} should be the name of one column")
    if not isinstance(_time(columns), str | None):
        raise PlanError("columns: 'time' should be the name of one column, or {'column': …}")
    target = columns.get("target")
    if target is not None and target == columns.get("prediction"):
        raise PlanError(f"columns: {target!r} cannot be both target and prediction")
    threshold = columns.get("threshold", 0.5)
    if not isinstance(threshold, Real) or not 0 <= float(threshold) <= 1:
        raise PlanError(f"columns: 'threshold' should be a number from 0 to 1, not {threshold!r}")


def _names(columns: Mapping[str, Any], key: str) -> Sequence[str]:
    given = columns.get(key)
    names = as_names(() if given is None else given)
    if names is None:
        raise PlanError(f"columns: {key!r} should be a list of column names")
    return names


def _must_be_there(names: Iterable[str], known: Collection[str]) -> None:
    absent = [name for name in names if name not in known]
    if absent:
        raise PlanError(
            f"columns that the data does not have: {', '.join(absent)}" + nearest(absent[0], known)
        )


def _tell_of_absent(name: str | None, batch: Batch) -> None:
    """A time or id column is not evaluated, so that its absence costs nothing but may be a slip."""
    if name and name not in batch.types:
        hint = nearest(name, batch.types)
        warnings.warn(f"there is no column {name!r}{hint}", stacklevel=3)


def tell_of_new(batch: Batch, schema: Schema, columns: Mapping[str, Any] | None) -> None:
    """Warn of columns of a batch that the reference, from which all kinds were inferred, says nothing of."""
    given = columns or {}
    if any(_names(given, kind) for kind in KINDS):
        return
    expected: set[str | None] = {*schema.kinds, *schema.apart, *_names(given, "ignore")}
    expected |= {given.get("id"), _time(given), schema.target, schema.prediction}
    new = [name for name in batch.types if name not in expected]
    if new:
        told = ", ".join(map(repr, new[:_TOLD])) + (", …" if len(new) > _TOLD else "")
        text = (
            f"the reference has no values of {told}: not evaluated; list the columns to watch them"
        )
        warnings.warn(text, stacklevel=3)


def _label(value: Any) -> str:
    """Canonical text: `1`, never `1.0`; `true`."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _how(schema: Schema | None) -> Wanted:
    if schema is None:
        return Wanted()
    return Wanted(frozenset((*schema.kinds, *schema.apart)), labels=labels_of(schema))


def arrow_table(data: Any) -> pa.Table:
    """Whatever holds columns as an Arrow table."""
    if isinstance(data, pa.Table):
        return data
    if isinstance(data, pa.RecordBatch):
        return pa.Table.from_batches([data])
    if hasattr(data, "iloc") and hasattr(data, "columns"):
        return _from_pandas(data)
    try:
        if hasattr(data, "__arrow_c_stream__"):
            return pa.table(data)
        if isinstance(data, Mapping):
            return pa.table(dict(data))
    except (pa.ArrowException, TypeError, ValueError) as error:
        reason = f": {str(error).splitlines()[0]}"
    else:
        reason = ""
    raise BatchError(
        f"a {type(data).__name__} is no data: give a pandas frame, an Arrow table or a path{reason}"
    )


def _from_pandas(frame: Any) -> pa.Table:
    names = checked_names([_sound(str(name)) for name in frame.columns], "the frame")
    columns = {}
    for i, name in enumerate(names):
        series = frame.iloc[:, i]
        try:
            columns[name] = pa.chunked_array(pa.Array.from_pandas(series))
        except OverflowError:
            columns[name] = _large(series, name)
        except (pa.ArrowException, TypeError, UnicodeError):
            columns[name] = _mixed(series, name)
        except ValueError:  # not in chunks
            columns[name] = pa.chunked_array([pa.Array.from_pandas(series)])
    return pa.table(columns)


def _large(series: Any, name: str) -> pa.ChunkedArray:
    """A column of whole numbers that no integer type holds, as the floats next to them."""
    try:
        numbers = [
            None if missing else float(x) for x, missing in zip(series, series.isna(), strict=True)
        ]
    except (OverflowError, TypeError, ValueError):  # beyond floats as well, or not all are numbers
        return _mixed(series, name)
    return pa.chunked_array([pa.array(numbers, pa.float64())])


def _mixed(series: Any, name: str) -> pa.ChunkedArray:
    """A column of numbers and text as text: the evaluation then tells that it is not what was declared."""
    try:
        texts = [
            None if missing else _sound(_label(x))
            for x, missing in zip(series, series.isna(), strict=True)
        ]
    except (TypeError, ValueError) as error:
        raise BatchError(f"column {name!r} of the frame cannot be read: {error}") from error
    return pa.chunked_array([pa.array(texts, pa.string())])


def _sound(text: str) -> str:
    """The text with U+FFFD for lone surrogates, which Arrow does not hold."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
