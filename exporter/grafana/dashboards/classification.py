"""Classification: whether it still classifies as well as on the reference, and which class it misses."""

from __future__ import annotations

from exporter.grafana.cells import against, name_cell, text_cell
from exporter.grafana.charts import timeseries
from exporter.grafana.colours import FAIL, LATE, SUCCESS, steps
from exporter.grafana.curves import curve, matrix
from exporter.grafana.dashboard import Dashboard, Section
from exporter.grafana.figures import (
    NOT_MEASURED,
    TO_DRIFT,
    TO_MODEL,
    TO_TESTS,
    batches,
    by_label,
    chosen,
    coverage,
    newest,
    now,
    over_time,
    segments,
    variables,
)
from exporter.grafana.navigation import datasources, events
from exporter.grafana.panels import override, sql, table
from exporter.grafana.queries import OF_MODEL, history, of_a_day, thinned, where
from exporter.grafana.trends import REFERENCE_LINE

MAIN = {
    "accuracy": "Acc.",
    "precision": "Prec.",
    "recall": "Recall",
    "f1": "F1",
    "roc_auc": "AUC",
    "log_loss": "Loss",
}
_CELL = r"^((?:[^\\→]|\\[\\→])*)→((?:[^\\→]|\\[\\→])*)$"  # an arrow in a class's name has a backslash before it


def _class(place: int) -> str:
    """The actual (1) or predicted (2) class of a cell of `confusion`."""
    return rf"regexp_replace((regexp_match(label, '{_CELL}'))[{place}], '\\(.)', '\1', 'g')"


def _cells(of: str) -> str:
    """The cells of confusion matrices: `actual`, `predicted`, `value` and `reference` as rows of data."""
    return (
        f"select time, window_end, evaluation, segment, stream, snapshot_id, value, reference,\n"
        f"  {_class(1)} as actual, {_class(2)} as predicted\nfrom {of}"
    )


_LATEST_CELLS = _cells(newest(where(chosen("confusion", whole=False), "label <> ''")))
_CELLS = _cells(
    thinned(
        "grafana.metrics",
        where(chosen("confusion", whole=False), "label <> ''"),
        by=["label"],
        values={"value": "sum", "reference": "avg"},
    )
)
# The share of each class among the truth and among the predictions, batch by batch.
_SHARES = f"""\
select time, window_end, evaluation, segment, stream, snapshot_id, class,
  sum(target) / nullif(sum(sum(target)) over batch, 0) as target,
  sum(prediction) / nullif(sum(sum(prediction)) over batch, 0) as prediction,
  sum(target_reference) / nullif(sum(sum(target_reference)) over batch, 0) as target_reference,
  sum(prediction_reference) / nullif(sum(sum(prediction_reference)) over batch, 0) as prediction_reference
from (
{_CELLS}) c
cross join lateral (values (actual, value, 0.0, reference, 0.0), (predicted, 0.0, value, 0.0, reference))
  s(class, target, prediction, target_reference, prediction_reference)
group by time, window_end, evaluation, segment, stream, snapshot_id, class
window batch as (partition by time, snapshot_id)"""
_MOST = f"(select class from ({_SHARES}) s group by 1 order by sum(abs(prediction - target)) desc, 1 limit 6)"
# Of many classes those ten that are worst in the newest batch.
_WORST = f"""label in (select label from {newest(where(chosen("f1_by_label", whole=False), "label <> ''"))} order by value nulls first, label limit 10)"""

NOW = [now(at, title, i) for at, (i, title) in enumerate(MAIN.items(), 1)]
TRENDS = [
    [
        over_time(10, "Accuracy", "accuracy", baseline="baseline_accuracy"),
        over_time(11, "F1", "f1", baseline="baseline_f1"),
        over_time(12, "ROC AUC", "roc_auc", baseline="0.5"),
    ],
    [
        over_time(13, "Precision", "precision", baseline="baseline_precision"),
        over_time(14, "Recall", "recall", baseline="baseline_recall"),
        over_time(15, "Log loss", "log_loss", baseline="baseline_log_loss"),
    ],
]
CONFUSION = matrix(
    20,
    "Confusion · latest batch",
    "Of each actual class (a row) the share that was predicted as each class: on the diagonal is what was right. "
    "Of many classes the fifteen most frequent. Source: grafana.latest_metrics, metric confusion.",
    sql(
        f"""\
with cells as (
{_LATEST_CELLS}),
classes as (select actual as class from cells group by 1 order by sum(value) desc, 1 limit 15)
select actual, predicted, coalesce(value / nullif(sum(value) over (partition by actual), 0), 0) as share
from cells
where actual in (select class from classes) and predicted in (select class from classes)
order by actual, predicted"""
    ),
    size=(10, 9),
    rows="actual",
    columns="predicted",
    value="share",
    heading="actual ↓",
    links=[TO_MODEL],
)
CONFUSED = table(
    21,
    "What is taken for what",
    "The mistakes of the newest batch by how much more frequent they are than in the reference: of the actual class, the "
    "share that is taken for the other. Positive is worse. Source: grafana.latest_metrics, metric confusion.",
    [
        sql(
            f"""\
with shares as (
  select actual, predicted, value as rows,
    value / nullif(sum(value) over (partition by actual), 0) as share,
    reference / nullif(sum(reference) over (partition by actual), 0) as reference
  from (
{_LATEST_CELLS}) c)
select actual, predicted, rows, share, reference, share - reference as change
from shares where actual <> predicted
order by change desc nulls last, rows desc limit 50"""
        )
    ],
    size=(14, 9),
    nothing=NOT_MEASURED,
    overrides=[
        override("actual", **name_cell("Actual", 90), links=[TO_TESTS, TO_MODEL]),
        override("predicted", **name_cell("Predicted as", 90)),
        override("rows", displayName="Rows", custom__width=76, unit="locale"),
        override("share", displayName="Share", custom__width=84, unit="percentunit", decimals=1),
        override(
            "reference", displayName="Reference", custom__width=96, unit="percentunit", decimals=1
        ),
        override(
            "change",
            **text_cell(
                "Change",
                84,
                steps((None, SUCCESS), (0.02, LATE), (0.1, FAIL)),
                unit="percentunit",
                decimals=1,
            ),
        ),
    ],
)
_BY_CLASS = {"precision": "Precision", "recall": "Recall", "f1": "F1"}
CLASSES = table(
    30,
    "Classes · latest batch",
    "A row a class, the one with the worst F1 first; `vs ref` is F1 against the reference: negative is worse. "
    "Source: grafana.latest_metrics, precision_by_label and its like.",
    [
        sql(
            f"""\
with figures as (
  select label,
    max(value) filter (where metric = 'precision_by_label') as precision,
    max(value) filter (where metric = 'recall_by_label') as recall,
    max(value) filter (where metric = 'f1_by_label') as f1,
    max((value - reference) / nullif(reference, 0)) filter (where metric = 'f1_by_label') as vs_reference,
    max(value) filter (where metric = 'roc_auc_by_label') as roc_auc
  from {newest(where(chosen("precision_by_label", "recall_by_label", "f1_by_label", "roc_auc_by_label", whole=False), "label <> ''"))}
  group by 1),
counts as (select actual as label, sum(value) as rows from (
{_LATEST_CELLS}) c group by 1)
select label, rows, precision, recall, f1, vs_reference, roc_auc
from figures left join counts using (label)
order by f1 nulls first, label limit 100"""
        )
    ],
    size=(24, 8),
    nothing=NOT_MEASURED,
    overrides=[
        override("label", **name_cell("Class", 120), links=[TO_TESTS, TO_MODEL]),
        override("rows", displayName="Rows", custom__width=90, unit="locale"),
        *[
            override(i, displayName=title, custom__width=100, decimals=3)
            for i, title in _BY_CLASS.items()
        ],
        override(
            "vs_reference",
            **against("vs ref"),
        ),
        override("roc_auc", displayName="ROC AUC", custom__width=100, decimals=3),
    ],
)
BY_CLASS = [
    by_label(
        31 + at,
        f"{title} by class",
        f"{title} of each class; of many the ten with the worst F1 now.",
        f"{i}_by_label",
        which=_WORST,
    )
    for at, (i, title) in enumerate(_BY_CLASS.items())
]


def _point(metric: str, figures: str, end: str = "([0-9.]+)$") -> str:
    """The points of a curve of the newest batch; of more than two classes their mean."""
    return f"""\
select substring(label from '{end}')::float8 as x, avg(value) as current, avg(reference) as reference{figures}
from {newest(where(chosen(metric, whole=False), "label <> ''"))}
group by 1 order by 1"""


_MEAN = (
    "Of more than two classes the mean of their curves, each against the rest. The newest batch."
)
CURVES = [
    curve(
        40,
        "ROC curve",
        f"How many of the class are found (upwards) when so many others are taken along: the further up on the left, the better. {_MEAN}",
        sql(_point("roc_curve", ", substring(label from '([0-9.]+)$')::float8 as dummy")),
        names={"current": "batch", "reference": "reference", "dummy": "guessing"},
        axes=("false positives", "true positives"),
        links=[TO_MODEL],
    ),
    curve(
        41,
        "Precision and recall",
        f"How many of those decided positive are right when so many of the class are to be found: the higher, the better. {_MEAN}",
        sql(_point("pr_curve", "")),
        names={"current": "batch", "reference": "reference"},
        axes=("recall", "precision"),
        links=[TO_MODEL],
    ),
    curve(
        42,
        "Calibration",
        f"How often the class came when the model gave it this probability: on the dotted line a probability means what it says, below it the model is too sure. {_MEAN}",
        sql(
            f"""\
select (low + high) / 2 as x, avg(value) as current, avg(reference) as reference, (low + high) / 2 as dummy
from (select value, reference, substring(label from '([0-9.]+)-[0-9.]+$')::float8 as low, substring(label from '([0-9.]+)$')::float8 as high
      from {newest(where(chosen("calibration", whole=False), "label <> ''"))}) p
group by low, high order by 1"""
        ),
        names={"current": "batch", "reference": "reference", "dummy": "ideal"},
        axes=("probability given", "share observed"),
        links=[TO_MODEL],
    ),
]
CALIBRATION = [
    over_time(43, "Calibration error", "calibration_error"),
    over_time(44, "Brier score", "brier_score"),
    over_time(45, "False positives", "fpr", nothing="only of two classes"),
]


def _balance(id_: int, title: str, side: str, description: str) -> dict[str, object]:
    values = {"current": side, "reference": f"{side}_reference"}
    return timeseries(
        id_,
        title,
        f"{description} The six classes whose share in truth and prediction differs most. {of_a_day('mean')} Dashed grey: the reference. "
        "Source: grafana.metrics, metric confusion.",
        [sql(history(f"({_SHARES}) s", f"class in {_MOST}", named="class", values=values))],
        size=(8, 8),
        unit="percentunit",
        defaults={"noValue": NOT_MEASURED},
        overrides=[REFERENCE_LINE],
        links=[TO_DRIFT, TO_MODEL],
    )


_MOVED = f"""\
(select time, window_end, evaluation, segment, stream, snapshot_id, side, sum(abs(now - before)) / 2 as moved
from (
{_SHARES}) s
cross join lateral (values ('truth', target, target_reference), ('prediction', prediction, prediction_reference)) p(side, now, before)
where before is not null
group by time, window_end, evaluation, segment, stream, snapshot_id, side) m"""
BALANCE = [
    _balance(50, "Classes in the truth", "target", "How often each class really came."),
    _balance(51, "Classes in the predictions", "prediction", "How often each class was predicted."),
    timeseries(
        52,
        "Shift of the classes",
        "Share of the rows that would have to be of another class to have the reference's mix. Truth and prediction together: "
        "the world has changed; the prediction alone: the model has. The lower the better. Source: grafana.metrics, metric confusion.",
        [sql(history(_MOVED, "true", named="side", values={"value": "moved"}))],
        size=(8, 8),
        unit="percentunit",
        defaults={"min": 0, "noValue": NOT_MEASURED},
        links=[TO_DRIFT, TO_MODEL],
    ),
]

DASHBOARD = Dashboard(
    name="classification",
    title="Classification",
    question="Does it still classify as well as on the reference?",
    about="quality",
    variables=[*variables("accuracy", "f1", "roc_auc", "log_loss"), *datasources()],
    events=events(OF_MODEL),
    rows=[
        NOW,
        *TRENDS,
        [CONFUSION, CONFUSED],
        [segments(60, "classification", MAIN, "f1")],
        Section(900, "By class", [[CLASSES], BY_CLASS]),
        Section(901, "Ranking and probabilities", [CURVES, CALIBRATION]),
        Section(902, "Balance and drift of the classes", [BALANCE]),
        Section(
            903,
            "Labels and batches",
            [[coverage(70, size=(24, 7))], [batches(71, MAIN)]],
        ),
    ],
)
