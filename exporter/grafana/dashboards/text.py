"""Texts: what they look like, and whether they have changed."""

from __future__ import annotations

from exporter.grafana import colours
from exporter.grafana.cells import MISSING_TEXT, SEVERITY_CELL, name_cell, text_cell
from exporter.grafana.charts import bar_chart, heatmap, timeseries
from exporter.grafana.colours import FAIL, GREY, LATE, SUCCESS, Json, steps
from exporter.grafana.dashboard import Dashboard, Section
from exporter.grafana.distributions import (
    BATCH_AND_REFERENCE,
    beside_reference,
    newest_bins,
    over_time,
)
from exporter.grafana.drifts import (
    NOT_COMPARED,
    TO_COLUMN,
    TO_COLUMN_OF_LINE,
    severity_cells,
    severity_lines,
)
from exporter.grafana.findings import failing_tests
from exporter.grafana.navigation import (
    KEPT,
    choice,
    column,
    datasources,
    evaluation,
    events,
    link_to,
    segment,
    stream,
)
from exporter.grafana.panels import override, sql, stat, table
from exporter.grafana.queries import (
    CHOSEN,
    OF_MODEL,
    OF_PROJECT,
    history,
    metrics,
    of_a_day,
    thinned,
    where,
)
from exporter.grafana.trends import BOUND_LINES

NOTHING = "not measured"
_TO_TESTS = link_to("tests", "Which tests", keep=KEPT)
_TO_DRIFT = link_to("data-drift", "Beside the other columns", keep=KEPT)
_TO_QUALITY = link_to("data-quality", "Is the data whole?", keep=KEPT)
# A descriptor's column is called after its text; a text without descriptors is known by its drift.
_DESCRIPTOR = "column_name like '%.%'"
_TEXT = r"regexp_replace(column_name, '\.[^.]*$', '')"
_HAS_TEXTS = f"({_DESCRIPTOR} or kind = 'drift' and label like '%text_content_drift')"
_OF = "concat_ws(' · ', evaluation, nullif(segment, ''), nullif(stream, ''))"
_NO_TEXTS = "no texts"


def _texts_first(name: str, label: str, conditions: str) -> Json:
    """The variable of projects or models: all of them, those that have texts first."""
    values = f"""\
select {name} from grafana.streams where {conditions} group by 1
order by {name} in (select {name} from grafana.series where {conditions} and {_HAS_TEXTS}) desc, 1"""
    return choice(name, label, values, otherwise=f"no {name}s yet")


STATS = (
    stat(
        *(1, "Texts"),
        "Columns of texts that are described or compared. Source: grafana.series.",
        sql(
            f"select nullif(count(distinct {_TEXT}), 0) as texts from grafana.series where {where(CHOSEN, _HAS_TEXTS)}"
        ),
        colouring="none",
        defaults={"noValue": _NO_TEXTS},
        links=[_TO_QUALITY],
    ),
    stat(
        *(2, "Topics"),
        "Severity of the drift of what the texts say, in the latest batch: whether a classifier of words tells them from the reference's. "
        "From 1 on they have drifted. Source: grafana.latest_drift.",
        sql(
            f"select max(severity) as severity from grafana.latest_drift where {CHOSEN} and type = 'text'"
        ),
        decimals=2,
        scale=steps((None, GREY), (0, SUCCESS), (1, LATE), (2, FAIL)),
        defaults={"noValue": NOT_COMPARED},
        links=[_TO_DRIFT],
    ),
    stat(
        *(3, "Drifted"),
        "Descriptors that have drifted in the latest batch. None is best. Source: grafana.latest_drift.",
        sql(
            f"select count(*) filter (where drifted) as drifted from grafana.latest_drift where {CHOSEN} and {_DESCRIPTOR} having count(drifted) > 0"
        ),
        scale=steps((None, GREY), (0, SUCCESS), (1, LATE)),
        defaults={"noValue": NOT_COMPARED},
        links=[_TO_DRIFT],
    ),
    stat(
        *(4, "Length"),
        "How much longer (or, negative, shorter) the texts of the latest batch are on average than the reference's, the one text that changed most. "
        "Source: grafana.latest_metrics, mean of text_length.",
        sql(
            f"""\
select value / nullif(reference, 0) - 1 as change from grafana.latest_metrics
where {where(CHOSEN, metrics("mean"), "column_name like '%.text_length'")}
order by abs(value / nullif(reference, 0) - 1) desc nulls last limit 1"""
        ),
        unit="percentunit",
        decimals=0,
        scale=steps((None, GREY), (-10, LATE), (-0.25, "text"), (0.25, LATE)),
        defaults={"noValue": NOTHING},
        links=[_TO_DRIFT],
    ),
    stat(
        *(5, "Absent"),
        "Share of missing texts in the latest batch, of the text that misses most. Less is better. Source: grafana.latest_metrics.",
        sql(
            f"select max(value) as share from grafana.latest_metrics where {where(CHOSEN, metrics('missing_ratio'))} and {_DESCRIPTOR}"
        ),
        unit="percentunit",
        decimals=2,
        scale=steps((None, GREY), (0, SUCCESS), (1e-9, "yellow"), (0.05, LATE), (0.5, FAIL)),
        defaults={"noValue": NOTHING},
        links=[_TO_QUALITY],
    ),
    stat(
        *(6, "Failing"),
        "Critical tests of descriptors that fail in the latest batch. None is best. Source: grafana.latest_tests.",
        sql(
            f"""\
select count(*) filter (where critical and status_code in (2, 3)) as failing
from grafana.latest_tests where {CHOSEN} and {_DESCRIPTOR} having count(*) > 0"""
        ),
        scale=colours.NONE_IS_GOOD,
        colouring="background_solid",
        defaults={"noValue": "no tests"},
        links=[_TO_TESTS],
    ),
)

_KEY = "evaluation, segment, stream, column_name"
_DESCRIPTORS = f"""\
with told as (
  select {_KEY}, 'mean' as what, value, reference from grafana.latest_metrics
  where {where(CHOSEN, metrics("mean"), _DESCRIPTOR)}
  union all
  select {_KEY}, 'share of true',
    sum(current) filter (where category = 'true')::float8 / nullif(sum(current), 0),
    sum(reference) filter (where category = 'true')::float8 / nullif(sum(reference), 0)
  from (select b.* from {newest_bins(_DESCRIPTOR)}) h
  where category is not null group by {_KEY} having bool_or(category in ('true', 'false'))),
missing as (
  select {_KEY}, max(value) as missing from grafana.latest_metrics
  where {where(CHOSEN, metrics("missing_ratio"), _DESCRIPTOR)} group by {_KEY}),
drifts as (
  select {_KEY}, max(severity) as severity, max(method) as method from grafana.latest_drift
  where {CHOSEN} and {_DESCRIPTOR} group by {_KEY})
select column_name as "column", severity, method, what, value, reference,
  case when what = 'mean' then value / nullif(reference, 0) - 1 else value - reference end as change, missing, {_OF} as of
from told full join drifts using ({_KEY}) full join missing using ({_KEY})
order by severity desc nulls last, 1 limit 200"""
DESCRIPTORS = table(
    *(10, "Descriptors · latest batch"),
    "One row a descriptor, the most drifted first: its mean, or for true and false the share of true, in the latest batch and in the reference. "
    "`Change` of a mean is relative, of a share in points. Click a descriptor to see it. Source: grafana.latest_metrics, grafana.latest_drift, grafana.distributions.",
    [sql(_DESCRIPTORS)],
    size=(24, 11),
    nothing="no descriptors",
    overrides=[
        override("column", **name_cell("Descriptor", width=210), links=[TO_COLUMN]),
        override("severity", **(SEVERITY_CELL | {"custom__width": 104})),
        override("method", displayName="Method", custom__width=112),
        override("what", displayName="Figure", custom__width=100),
        override("value", displayName="Batch", unit="short", custom__width=72),
        override("reference", displayName="Reference", unit="short", custom__width=82),
        override(
            "change",
            **text_cell(
                "Change",
                82,
                steps((None, "text"), (-1e9, LATE), (-0.25, "text"), (0.25, LATE)),
                unit="percentunit",
                decimals=1,
            ),
        ),
        override(
            "missing",
            **text_cell("Missing", 78, MISSING_TEXT, unit="percentunit", decimals=1),
        ),
        override("of", **name_cell("Evaluation", 86)),
    ],
)
CELLS = severity_cells(
    *(20, "Severity by descriptor and batch"),
    "When each descriptor, or text (its content), moved, and how far.",
    where(CHOSEN, f"({_DESCRIPTOR} or type = 'text')"),
    size=(14, 11),
)
CONTENT = severity_lines(
    *(21, "Drift of what the texts say"),
    "How well a classifier of words tells the batch's texts from the reference's: new topics, words or templates raise it.",
    where(CHOSEN, "type = 'text'"),
    size=(10, 11),
    nothing="the texts themselves were not compared: add text_content drift, or the preset text",
)


def _means(
    id_: int,
    title: str,
    description: str,
    columns: str,
    *,
    size: tuple[int, int] = (8, 8),
    unit: str = "short",
    relative: bool = False,
) -> Json:
    """Means of descriptors over time, the dozen that changed most in the range."""
    value = "value / nullif(reference, 0) - 1" if relative else "value"
    most = "max(abs(mean)) desc nulls last" if relative else "max(mean) - min(mean) desc nulls last"
    return timeseries(
        *(id_, title, f"{description} Source: grafana.metrics, mean."),
        [
            sql(
                history(
                    "grafana.metrics",
                    where(CHOSEN, metrics("mean"), columns),
                    named="column_name",
                    labels={'"column"': "column_name"},
                    values={"mean": value},
                    first=most,
                )
            )
        ],
        size=size,
        unit=unit,
        legend="table" if relative else "list",
        defaults={"noValue": NOTHING},
        links=[TO_COLUMN_OF_LINE],
    )


AGAINST = _means(
    *(30, "Means against the reference"),
    "How far each numerical descriptor's mean is from the reference's, as a share of it; the dozen furthest away. 0: as there.",
    where(_DESCRIPTOR, "reference <> 0"),
    size=(12, 9),
    unit="percentunit",
    relative=True,
)


def _shares(columns: str) -> str:
    """A view of shares of categories: what `history` reads."""
    counts = thinned(
        "grafana.distributions",
        where(CHOSEN, columns, "categorical"),
        by=["column_name", "category"],
        values={"current": "sum"},
    )
    batch = "evaluation, segment, stream, time, snapshot_id, column_name"
    return f"""\
(select time, window_end, evaluation, segment, stream, snapshot_id, column_name, category,
    current::float8 / nullif(sum(current) over (partition by {batch}), 0) as part
  from {counts}) s"""


def _labels(id_: int, title: str, description: str, columns: str, nothing: str) -> Json:
    """Shares of labels over time, the dozen that changed most in the range."""
    query = history(
        _shares(columns),
        "category not in ('false', 'other')",
        named="concat_ws(': ', column_name, nullif(category, 'true'))",
        labels={'"column"': "column_name"},
        values={"share": "part"},
        first="max(share) - min(share) desc nulls last",
    )
    return timeseries(
        *(id_, title, f"{description} {of_a_day('mean')} Source: grafana.distributions."),
        [sql(query)],
        size=(12, 9),
        unit="percentunit",
        legend="table",
        defaults={"min": 0, "noValue": nothing},
        links=[TO_COLUMN_OF_LINE],
    )


SHARES = _labels(
    *(31, "Shares of true, and of labels"),
    "Of the descriptors that give true and false, the share of true; of those that give labels, each label's. The dozen that changed most in the range.",
    _DESCRIPTOR,
    "no descriptor gives true and false, or labels",
)
VERDICTS = _labels(
    *(40, "Verdicts and other categories"),
    "Shares of the categories of the model's other columns: what a judge said, the language, the channel. The dozen that changed most in the range.",
    f"not ({_DESCRIPTOR})",
    "no other column has categories",
)
ROW_TESTS = timeseries(
    *(41, "Tests of rows"),
    "Share of rows that meet what tests of category_ratio ask of descriptors: with all_of and any_of the rows that pass. "
    "Dashed red: what the tests allow. Source: grafana.tests.",
    [
        sql(
            history(
                "grafana.tests",
                where(CHOSEN, metrics("category_ratio"), _DESCRIPTOR),
                named="concat_ws(' · ', nullif(test, metric), column_name, nullif(label, ''))",
                labels={'"column"': "column_name"},
                values={"value": "value", "lower": "lower", "upper": "upper"},
                first="min(value)",
            )
        )
    ],
    size=(12, 9),
    unit="percentunit",
    defaults={"noValue": "no test of category_ratio on a descriptor"},
    overrides=BOUND_LINES,
    links=[TO_COLUMN_OF_LINE, _TO_TESTS],
)
# The text whose length has drifted most.
_LENGTH = f"""\
column_name = (
  select s.column_name from grafana.series s
  left join (select column_name, max(severity) as severity from grafana.latest_drift where {CHOSEN} group by 1) d using (column_name)
  where {CHOSEN} and s.kind = 'distribution' and s.column_name like '%.text_length'
  order by d.severity desc nulls last, 1 limit 1)"""
LENGTHS = heatmap(
    *(50, "Lengths of texts over time"),
    "Characters a text, of the text whose length has drifted most: the more a cell stands out, the larger the share of a batch's texts in a bin. "
    "Bins stay the same from batch to batch. Source: grafana.distributions.",
    sql(over_time(_LENGTH, otherwise="no histogram")),
    size=(12, 12),
    links=[_TO_DRIFT],
)
LENGTH_NOW = bar_chart(
    *(51, "Lengths of texts: batch and reference"),
    "Characters a text, of the text whose length has drifted most: shares of texts in the latest batch (blue) and in the reference (grey). Source: grafana.distributions.",
    sql(beside_reference(_LENGTH)),
    size=(12, 12),
    by="bin_name",
    overrides=BATCH_AND_REFERENCE,
    defaults={"min": 0, "noValue": "no histogram of text_length"},
    links=[_TO_DRIFT],
)
LONG = _means(
    *(60, "How long they are"),
    "Mean characters, words and sentences of a text.",
    r"column_name ~ '\.(text_length|word_count|sentence_count)$'",
)
STRANGE = _means(
    *(61, "Unknown words and signs"),
    "Mean share of words that no English word list has, of characters that are no letters, of capitals, of different words. A jump is another language, code, or rubbish.",
    r"column_name ~ '\.(out_of_vocabulary|non_letter|uppercase|unique_word)_ratio$'",
    unit="percentunit",
)
SENTIMENT = _means(
    *(62, "Sentiment"),
    "Mean of how positive (1) or negative (-1) the texts sound.",
    r"column_name like '%.sentiment'",
)
FAILING = failing_tests(
    70,
    where(CHOSEN, _DESCRIPTOR),
    size=(16, 9),
    line=_OF,
    heading="Evaluation",
    links=[_TO_TESTS],
)
WORDS = table(
    *(71, "Words that tell"),
    "Where the drift of texts was asked for with `words: true` and they have drifted: the words by which the classifier knows a text of the batch, or of "
    "the reference. Source: grafana.latest_drift, contributions.",
    [
        sql(
            f"""\
select column_name as "column", told ->> 'word' as word, told ->> 'of' as side, (told ->> 'weight')::float8 as weight
from (select column_name, jsonb_array_elements(contributions) as told
      from grafana.latest_drift where {CHOSEN} and type = 'text' and jsonb_typeof(contributions) = 'array') w
where told ? 'word' order by column_name, side, weight desc limit 100"""
        )
    ],
    size=(8, 9),
    nothing="no words were asked for, or the texts have not drifted",
    overrides=[
        override("column", **name_cell("Text", 70), links=[TO_COLUMN]),
        override("word", **name_cell("Word", 70)),
        override("side", displayName="Tells of", custom__width=80),
        override("weight", displayName="Weight", decimals=2, custom__width=68),
    ],
)
EACH = heatmap(
    *(80, "$column"),
    "The descriptor's distribution over time: the more a cell stands out, the larger the share of a batch's texts in a bin, or with a label. Source: grafana.distributions.",
    sql(over_time(otherwise="no histogram")),
    size=(8, 8),
    links=[link_to("column", "Open the column", keep=(*KEPT, "column"))],
    repeat="column",
)

DASHBOARD = Dashboard(
    name="text",
    title="Texts",
    question="What do the texts look like, and have they changed?",
    about="text",
    variables=[
        _texts_first("project", "Project", "true"),
        _texts_first("model", "Model", OF_PROJECT),
        evaluation(),
        segment(),
        stream(),
        column(where(CHOSEN, _DESCRIPTOR), many=True),
        *datasources(),
    ],
    events=events(OF_MODEL),
    rows=[
        STATS,
        [DESCRIPTORS],
        [CELLS, CONTENT],
        [AGAINST, SHARES],
        [VERDICTS, ROW_TESTS],
        [LENGTHS, LENGTH_NOW],
        [LONG, STRANGE, SENTIMENT],
        [FAILING, WORDS],
        Section(900, "Descriptor by descriptor", [[EACH]], collapsed=True),
    ],
)
