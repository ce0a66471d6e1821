"""The YAML format as frozen models; a field's description is what the documentation says of its key."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SkipValidation

from exporter.config.fields import (
    AnyScalar,
    Duration,
    Missing,
    Span,
    Store,
    Strict,
    Tag,
    Text,
    Url,
    Zone,
    either,
    removable,
    scalar,
)

Entry = str | dict[str, Any]
Entries = list[Annotated[Entry, SkipValidation]]  # the plan tells their mistakes
AutomaticTests = Literal["directional", "evidently"]
Rows = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class Files(Strict):
    """Data in files."""

    path: Text = Field(
        description="A file, a glob or a folder (hive partitions are read), relative to the config's "
        "folder: parquet, csv or jsonl, the latter two also as gz or zip."
    )
    format: Literal["parquet", "csv", "jsonl"] | None = Field(
        default=None, description="Given where the files' names do not tell it."
    )


class Query(Strict):
    """Rows of a database: not built yet, refused."""

    sql: Text = Field(description="A query with `:start` and `:end`.")
    url: Url = Field(description="The database: a URL, best as `!env NAME` or `!file PATH`.")


class Rolling(Strict):
    """The windows before the batch's own."""

    rolling: Span = Field(description="How far back the reference reaches: `28d`.")
    lag: Duration = Field(
        default=0.0,
        description="How much of the time just before the batch is left out. Evaluations that read "
        "late labels lag at least `labels.delay`.",
    )


class Previous(Strict):
    """An earlier batch that has rows."""

    previous: Annotated[int, Field(ge=1)] = Field(
        description="How many batches earlier: 1 is the one before."
    )


Source = Annotated[Files | Query, either({"path": Files, "sql": Query})]
Reference = Annotated[
    Files | Query | Rolling | Previous,
    either({"path": Files, "sql": Query, "rolling": Rolling, "previous": Previous}),
]


class Time(Strict):
    """The column that windows are cut by."""

    column: Text = Field(description="Times, or text in ISO 8601; numbers are refused.")
    timezone: Zone | None = Field(
        default=None, description="In which its naive times are read; else the project's."
    )


def _time(value: Any) -> Any:
    return value if value is None or isinstance(value, dict | Time) else {"column": value}


def _probability(value: Any) -> Any:
    columns = list(value.values()) if isinstance(value, dict) else [value]
    if columns and all(isinstance(x, str) and x.strip() and "\0" not in x for x in columns):
        return value
    raise ValueError("expected a column's name, or {class: column}")


class Columns(Strict):
    """What part each column plays. Without any list of kinds they are inferred from the reference."""

    time: Annotated[Time | None, BeforeValidator(_time)] = Field(
        default=None,
        description="The time column, or `{column: …, timezone: …}`. Every model needs it.",
    )
    id: Text | None = Field(default=None, description="Names a row; labels are joined by it.")
    target: Text | None = Field(
        default=None, description="The truth: numerical for a regression, else categorical."
    )
    prediction: Text | None = Field(
        default=None, description="What the model said: a number, or for classification the class."
    )
    probability: Annotated[str | dict[str, str], BeforeValidator(_probability)] | None = Field(
        default=None, description="The positive class's probability, or `{class: column}`."
    )
    positive: AnyScalar = Field(default=1, description="The class that counts as positive.")
    threshold: Share = Field(
        default=0.5, description="The probability from which on a row is predicted positive."
    )
    numerical: list[Text] | None = Field(
        default=None,
        description="Once any list of kinds is given, columns in none of them are not read.",
    )
    categorical: list[Text] | None = Field(default=None, description="Columns of categories.")
    datetime: list[Text] | None = Field(default=None, description="Columns of times: quality only.")
    text: list[Text] | None = Field(
        default=None, description="Columns of text. *Not built yet: refused.*"
    )
    embeddings: dict[str, list[Text]] | None = Field(
        default=None, description="`{name: [columns]}`. *Not built yet: refused.*"
    )
    user: Text | None = Field(default=None, description="Of a ranking. *Not built yet: refused.*")
    item: Text | None = Field(default=None, description="Of a ranking. *Not built yet: refused.*")
    ignore: list[Text] | None = Field(
        default=None, description="Columns left out where kinds are inferred."
    )


class Labels(Files):
    """Targets that come later, in files of their own, joined by `columns.id`."""

    delay: Duration = Field(
        default=0.0, description="How long after a window's end its labels are expected."
    )
    mature_at: Share = Field(
        default=0.0,
        description="The share of predicted rows that must have a label: below it figures are "
        "stored and tests skipped.",
    )


class Segment(Strict):
    """How a column's values become segments."""

    min_rows: Rows | None = Field(
        default=None, description="Like the model's `min_rows`, for these segments."
    )
    max: Annotated[int, Field(ge=1)] = Field(
        default=20,
        description="So many of the reference's most frequent values; the rest is `other`.",
    )
    evaluations: list[Text] | None = Field(
        default=None, description="Which evaluations are made by segment; all, where none is named."
    )


class FromColumn(Strict):
    """A tag read from the data: a stream tag splits the batch, any other is joined."""

    column: Text = Field(description="The column.")


def _tag_value(value: Any) -> Any:
    return FromColumn.model_validate(value) if isinstance(value, dict) else scalar(value)


TagValue = Annotated[
    str | int | float | bool | FromColumn, BeforeValidator(_tag_value), removable()
]


class Evaluation(Strict):
    """A named set of metrics and tests."""

    requires: Literal["target", "prediction"] | None = Field(
        default=None, description="Made only of batches in which the column has values."
    )
    reference: Reference | None = Field(default=None, description="In place of the model's.")
    metrics: Entries = Field(
        default=[], description="Ids, presets, or one of them with options: `{quantile: {q: 0.9}}`."
    )
    tests: Entries = Field(
        default=[],
        description="Ids, presets, or one with condition and options: `{rmse: {lt: 25}}`.",
    )


class Shared(Strict):
    """What may stand under `defaults` as well as in a model."""

    task: Literal["regression", "binary", "multiclass", "ranking", "none"] | None = Field(
        default=None,
        description="What the model does. *`multiclass` and `ranking` are not built yet.*",
    )
    tags: dict[Tag, TagValue] | None = Field(
        default=None,
        description="`{name: value}`, or `{name: {column: …}}` where the data tell the value.",
    )
    source: Source | None = Field(default=None, description="Where the rows are: `{path: …}`.")
    columns: Columns | None = Field(default=None, description="What part each column plays.")
    missing_values: list[Missing] | None = Field(
        default=None, description='What counts as missing beside null: `["", "n/a", -999]`.'
    )
    descriptors: dict[str, list[Text]] | None = Field(
        default=None, description="Figures of texts. *Not built yet: refused.*"
    )
    labels: Labels | None = Field(default=None, description="Late targets.")
    segments: dict[Text, Annotated[Segment, removable()]] | None = Field(
        default=None,
        description="`{column: {min_rows: …, max: …}}`: each value is evaluated on its own, too.",
    )
    evaluations: dict[Text, Annotated[Evaluation, removable()]] | None = Field(
        default=None, description="Named sets of metrics and tests."
    )
    batch: Literal["1h", "1d", "1w", "1mo"] | None = Field(
        default=None,
        description="The length of a window, aligned in the project's timezone; `1d` if not given.",
    )
    wait: Duration | None = Field(
        default=None, description="How long after its end a window is due."
    )
    reference: Reference | None = Field(
        default=None,
        description="What batches are compared with: `{path: …}`, `{rolling: 28d, lag: 7d}` or "
        "`{previous: 1}`.",
    )
    min_rows: Rows | None = Field(
        default=None,
        description="Below so many values comparing tests and tests of quality are skipped; "
        "30 if not given, 0 with `automatic_tests: evidently`.",
    )
    automatic_tests: AutomaticTests | None = Field(
        default=None, description="In place of the project's."
    )


class Model(Shared):
    """One watched model or table."""

    model: Text | None = Field(
        default=None,
        description="Its name in the store, if not the entry's key: arms share a model.",
    )


class Folder(Strict):
    """A place for files."""

    path: Text = Field(description="A folder, relative to the config's.")


class Retention(Strict):
    """How long results are kept, counted from their window's end."""

    metrics: Span | None = Field(
        default=None, description="Snapshots, figures, drift and tests; for ever if not given."
    )
    distributions: Span | None = Field(
        default=None, description="Distributions; as long as figures if not given."
    )


class Gauges(Strict):
    """What `exporter serve` shows."""

    max_series: Annotated[int, Field(ge=100)] = Field(
        default=20_000, description="The most samples on `/metrics`; what is left out is counted."
    )
    forget: Span = Field(
        default=2_592_000.0,
        description="A stream silent for so long vanishes, after three intervals at least.",
    )
    segments: Literal["tests", "all", "none"] = Field(
        default="tests",
        description="Of segments: tests and figures of the whole batch, all, or nothing.",
    )


class Config(Strict):
    """A whole file."""

    project: Text = Field(description="Groups the models of one team or product in the store.")
    timezone: Zone = Field(
        default="UTC", description="Windows are cut in it, naive times are read in it."
    )
    store: Store = Field(
        default="embedded",
        description="`embedded` (a PostgreSQL of our own), `postgresql://…`, `!env NAME` or `!file PATH`.",
    )
    snapshots: Folder | None = Field(
        default=None,
        description="Each snapshot also as a JSON file in this folder, which `import` reads.",
    )
    stream_tags: list[Tag] = Field(
        default=[],
        description="The tags that tell streams apart: identity, labels, variables of dashboards.",
    )
    retention: Retention | None = Field(default=None, description="How long results are kept.")
    automatic_tests: AutomaticTests = Field(
        default="directional",
        description="Conditions of tests that are given none: one-sided ones, or exactly Evidently's.",
    )
    defaults: Shared = Field(
        default=Shared(), description="What every model has, unless it says otherwise."
    )
    models: dict[Text, Model] = Field(min_length=1, description="What is watched, by name.")
    plugins: list[Text] = Field(
        default=[],
        description="Modules with metrics of your own, imported before metrics are looked up.",
    )
    prometheus: Gauges = Field(default=Gauges(), description="What `exporter serve` shows.")
