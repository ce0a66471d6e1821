"""The YAML format as frozen models; a field's description is what the documentation says of its key."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SkipValidation, WithJsonSchema

from exporter.batch import RankedBy, Task
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
    unbuilt,
)
from exporter.config.results import Folder, Gauges, Links, Retention

Entry = str | dict[str, Any]
Entries = Annotated[  # the plan tells their mistakes
    list[Annotated[Entry, SkipValidation]],
    WithJsonSchema({"type": "array", "$comment": "list of [metrics](metrics.md) and presets"}),
]
Described = Annotated[  # and so do descriptors
    list[Annotated[Entry, SkipValidation]],
    WithJsonSchema({"type": "array", "$comment": "list of [descriptors](text.md)"}),
]
AutomaticTests = Literal["directional", "evidently"]
Rows = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class Files(Strict):
    """Data in files."""

    path: Text = Field(
        description="A file, a glob or a folder (hive partitions are read), relative to the config's "
        "folder: parquet, csv or jsonl, the latter two also as gz or zip.",
        examples=["data/*.parquet"],
    )
    format: Literal["parquet", "csv", "jsonl"] | None = Field(
        default=None, description="Given where the files' names do not tell it.", examples=["csv"]
    )


class Query(Strict):
    """Rows of a database."""

    sql: Text = Field(
        description="A query with `:start` and `:end`.",
        examples=["select * from predictions where t >= :start and t < :end"],
        json_schema_extra=unbuilt("read files, with `path`"),
    )
    url: Url = Field(
        description="The database: a URL, best as `!env NAME` or `!file PATH`.",
        examples=["!env WAREHOUSE_URL"],
    )


class Rolling(Strict):
    """The windows before the batch's own."""

    rolling: Span = Field(
        description="How far back the reference reaches: `28d`.", examples=["28d"]
    )
    lag: Duration = Field(
        default=0.0,
        description="How much of the time just before the batch is left out. Evaluations that read "
        "late labels lag at least `labels.delay`.",
        examples=["7d"],
    )


class Previous(Strict):
    """An earlier batch that has rows."""

    previous: Annotated[int, Field(ge=1)] = Field(
        description="How many batches earlier: 1 is the one before.", examples=[1]
    )


Source = Annotated[Files | Query, either({"path": Files, "sql": Query})]
Reference = Annotated[
    Files | Query | Rolling | Previous,
    either({"path": Files, "sql": Query, "rolling": Rolling, "previous": Previous}),
]


class Time(Strict):
    """The column that windows are cut by."""

    column: Text = Field(
        description="Times, or text in ISO 8601; numbers are refused.", examples=["event_time"]
    )
    timezone: Zone | None = Field(
        default=None,
        description="In which its naive times are read; else the project's.",
        examples=["UTC"],
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
        examples=["event_time"],
    )
    id: Text | None = Field(
        default=None, description="Names a row; labels are joined by it.", examples=["order_id"]
    )
    target: Text | None = Field(
        default=None,
        description="The truth: numerical for a regression and a ranking, else categorical.",
        examples=["delay"],
    )
    prediction: Text | None = Field(
        default=None,
        description="What the model said: a number, for classification the class, for a ranking the "
        "score or the place.",
        examples=["predicted_delay"],
    )
    probability: Annotated[str | dict[str, str], BeforeValidator(_probability)] | None = Field(
        default=None,
        description="The positive class's probability, or `{class: column}`; of a multiclass model "
        "every class's.",
        examples=["score", {"0": "p_no", "1": "p_yes"}],
    )
    positive: AnyScalar = Field(
        default=1, description="The class that counts as positive.", examples=["yes"]
    )
    threshold: Share = Field(
        default=0.5,
        description="The probability from which on a row is predicted positive.",
        examples=[0.3],
    )
    numerical: list[Text] | None = Field(
        default=None,
        description="Once any list of kinds is given, columns in none of them are not read.",
        examples=[["age", "amount"]],
    )
    categorical: list[Text] | None = Field(
        default=None, description="Columns of categories.", examples=[["city"]]
    )
    datetime: list[Text] | None = Field(
        default=None, description="Columns of times: quality only.", examples=[["signed_up"]]
    )
    text: list[Text] | None = Field(
        default=None,
        description="Columns of text: `descriptors` make more columns of them.",
        examples=[["comment"]],
    )
    embeddings: dict[Text, Annotated[list[Text], Field(min_length=1)]] | None = Field(
        default=None,
        description="Vectors, each in several columns: `{name: [columns]}`.",
        examples=[{"image": ["e1", "e2"]}],
    )
    user: Text | None = Field(
        default=None,
        description="Of a ranking: whom something is recommended to.",
        examples=["user_id"],
    )
    item: Text | None = Field(
        default=None,
        description="Of a ranking: what is recommended.",
        examples=["item_id"],
    )
    ignore: list[Text] | None = Field(
        default=None,
        description="Columns left out where kinds are inferred.",
        examples=[["row_number"]],
    )


class Labels(Files):
    """Targets that come later, in files of their own, joined by `columns.id`."""

    delay: Duration = Field(
        default=0.0,
        description="How long after a window's end its labels are expected.",
        examples=["7d"],
    )
    mature_at: Share = Field(
        default=0.0,
        description="The share of predicted rows that must have a label: below it figures are "
        "stored and tests skipped.",
        examples=[0.9],
    )


class Items(Files):
    """Data of items in files: the column of `columns.item`, and numbers that describe each."""

    features: Annotated[list[Text], Field(min_length=1)] | None = Field(
        default=None,
        description="The columns that describe an item; all that are numerical, if not given.",
        examples=[["price", "weight"]],
    )


class Ranking(Strict):
    """How recommendations are put into order, and what was known of users and items before."""

    by: RankedBy = Field(
        default="score",
        description="What the prediction is: a `score`, the highest is first, or the `rank`, 1 is first.",
        examples=["rank"],
    )
    train: Files | None = Field(
        default=None,
        description="The interactions that the model was trained on, with the columns of "
        "`columns.user` and `columns.item`.",
        examples=[{"path": "train.parquet"}],
    )
    items: Items | None = Field(
        default=None,
        description="What is known of each item: `{path: …, features: [columns]}`.",
        examples=[{"path": "items.parquet"}],
    )


class Segment(Strict):
    """How a column's values become segments."""

    min_rows: Rows | None = Field(
        default=None, description="Like the model's `min_rows`, for these segments.", examples=[200]
    )
    max: Annotated[int, Field(ge=1)] = Field(
        default=20,
        description="So many of the reference's most frequent values; the rest is `other`.",
        examples=[5],
    )
    evaluations: list[Text] | None = Field(
        default=None,
        description="Which evaluations are made by segment; all, where none is named.",
        examples=[["quality"]],
    )


class FromColumn(Strict):
    """A tag read from the data: a stream tag splits the batch, any other is joined."""

    column: Text = Field(description="The column.", examples=["model_version"])


def _tag_value(value: Any) -> Any:
    return FromColumn.model_validate(value) if isinstance(value, dict) else scalar(value)


TagValue = Annotated[
    str | int | float | bool | FromColumn, BeforeValidator(_tag_value), removable()
]


class Evaluation(Strict):
    """A named set of metrics and tests."""

    requires: Literal["target", "prediction"] | None = Field(
        default=None,
        description="Made only of batches in which the column has values.",
        examples=["target"],
    )
    reference: Reference | None = Field(
        default=None,
        description="In place of the model's.",
        examples=[{"path": "training.parquet"}],
    )
    metrics: Entries = Field(
        default=[],
        description="Ids, presets, or one of them with options: `{quantile: {q: 0.9}}`.",
        examples=[["data_drift", {"quantile": {"columns": ["age"], "q": 0.99}}]],
    )
    tests: Entries = Field(
        default=[],
        description="Ids, presets, or one with condition and options: `{rmse: {lt: 25}}`.",
        examples=[["data_stability", {"rmse": {"lt": 25, "critical": False}}]],
    )


class Shared(Strict):
    """What may stand under `defaults` as well as in a model."""

    task: Task | None = Field(
        default=None,
        description="What the model does: which columns and metrics of quality it has.",
        examples=["regression"],
    )
    tags: dict[Tag, TagValue] | None = Field(
        default=None,
        description="`{name: value}`, or `{name: {column: …}}` where the data tell the value.",
        examples=[{"arm": "champion", "version": {"column": "model_version"}}],
    )
    source: Source | None = Field(
        default=None,
        description="Where the rows are: `{path: …}`.",
        examples=[{"path": "data/*.parquet"}],
    )
    columns: Columns | None = Field(
        default=None,
        description="What part each column plays.",
        examples=[{"time": "event_time", "numerical": ["age"]}],
    )
    missing_values: list[Missing] | None = Field(
        default=None,
        description='What counts as missing beside null: `["", "n/a", -999]`; such values are null to every '
        "figure, and `missing_kinds` and `missing_count_by_kind` tell them apart.",
        examples=[[None, "", -999]],
    )
    descriptors: dict[Text, Described] | None = Field(
        default=None,
        description="Figures of each text as columns of their own: `{comment: [word_count]}` makes "
        "`comment.word_count`.",
        examples=[{"comment": ["word_count", {"contains": {"items": ["refund"]}}]}],
    )
    ranking: Ranking | None = Field(
        default=None,
        description="Of `task: ranking`: how its recommendations are ordered, and what was known before.",
        examples=[{"train": {"path": "train.parquet"}, "items": {"path": "items.parquet"}}],
    )
    labels: Labels | None = Field(
        default=None,
        description="Late targets.",
        examples=[{"path": "labels-*.parquet", "delay": "7d"}],
    )
    segments: dict[Text, Annotated[Segment, removable()]] | None = Field(
        default=None,
        description="`{column: {min_rows: …, max: …}}`: each value is evaluated on its own, too.",
        examples=[{"city": {"min_rows": 200}}],
    )
    evaluations: dict[Text, Annotated[Evaluation, removable()]] | None = Field(
        default=None,
        description="Named sets of metrics and tests.",
        examples=[{"inputs": {"metrics": ["data_summary"]}}],
    )
    batch: Literal["1h", "1d", "1w", "1mo"] | None = Field(
        default=None,
        description="The length of a window, aligned in the project's timezone; `1d` if not given.",
        examples=["1d"],
    )
    wait: Duration | None = Field(
        default=None, description="How long after its end a window is due.", examples=["2h"]
    )
    reference: Reference | None = Field(
        default=None,
        description="What batches are compared with: `{path: …}`, `{rolling: 28d, lag: 7d}` or "
        "`{previous: 1}`.",
        examples=[{"rolling": "28d"}],
    )
    min_rows: Rows | None = Field(
        default=None,
        description="Below so many values comparing tests and tests of quality are skipped; "
        "30 if not given, 0 with `automatic_tests: evidently`.",
        examples=[30],
    )
    automatic_tests: AutomaticTests | None = Field(
        default=None, description="In place of the project's.", examples=["evidently"]
    )


class Model(Shared):
    """One watched model or table."""

    model: Text | None = Field(
        default=None,
        description="Its name in the store, if not the entry's key: arms share a model.",
        examples=["arrival-delay"],
    )


class Config(Strict):
    """A whole file."""

    project: Text = Field(
        description="Groups the models of one team or product in the store.",
        examples=["late-flights"],
    )
    timezone: Zone = Field(
        default="UTC",
        description="Windows are cut in it, naive times are read in it.",
        examples=["America/New_York"],
    )
    store: Store = Field(
        default="embedded",
        description="`embedded` (a PostgreSQL of our own), `postgresql://…`, `!env NAME` or `!file PATH`.",
        examples=["!env DATABASE_URL"],
    )
    snapshots: Folder | None = Field(
        default=None,
        description="Each snapshot also as a JSON file in this folder, which `import` reads.",
        examples=[{"path": "snapshots/"}],
    )
    stream_tags: list[Tag] = Field(
        default=[],
        description="The tags that tell streams apart: identity, labels, variables of dashboards.",
        examples=[["arm"]],
    )
    retention: Retention | None = Field(
        default=None,
        description="How long results are kept.",
        examples=[{"metrics": "2y", "distributions": "90d"}],
    )
    links: Links | None = Field(
        default=None,
        description="Where people find reports and dashboards; without this key the store keeps what "
        "it was told last.",
        examples=[{"exporter": "https://exporter.example.com"}],
    )
    automatic_tests: AutomaticTests = Field(
        default="directional",
        description="Conditions of tests that are given none: one-sided ones, or exactly Evidently's.",
        examples=["evidently"],
    )
    defaults: Shared = Field(
        default=Shared(),
        description="What every model has, unless it says otherwise.",
        examples=[{"batch": "1d", "wait": "2h"}],
    )
    models: dict[Text, Model] = Field(
        min_length=1,
        description="What is watched, by name.",
        examples=[{"churn": {"source": {"path": "churn.parquet"}}}],
    )
    plugins: list[Text] = Field(
        default=[],
        description="Modules with metrics, drift methods or descriptors of your own: installed, or beside this file.",
        examples=[["my_company.checks"]],
    )
    prometheus: Gauges = Field(
        default=Gauges(),
        description="How much of it `/metrics` shows.",
        examples=[{"max_series": 50_000}],
    )
