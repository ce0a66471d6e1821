"""Every alert there is, by what it is about."""

from __future__ import annotations

from exporter.alerts.definitions import OF_REPLICAS, Rule, of_replicas, shown
from exporter.config.fields import REPLICA_LABELS

_OF = "`{project=…, model=…, evaluation=…}` of the alert"
_MODEL = "{{ $labels.project }} / {{ $labels.model }}"
_EVALUATION = _MODEL + ", {{ $labels.evaluation }}{{ with $labels.segment }} of {{ . }}{{ end }}"
_TEST = "{{ $labels.test }}{{ with $labels.column }} of {{ . }}{{ end }}"
_END = shown('evaluation_window_end_timestamp_seconds{segment=""}')
_INTERVAL = shown('evaluation_batch_interval_seconds{segment=""}')
_WAIT = shown('evaluation_batch_wait_seconds{segment=""}')
# Of a hundred thousand series only the newest sample is read, and the alert outlasts a restart by `linger`.
_STREAK = f"max without ({OF_REPLICAS}, critical) (evaluation_test_consecutive_failures >= 3)"
_PAGING = 'max without (severity) (test:evaluation_test_alert:kept{severity="page"})'
_STORE_ANSWERS = "on () max(evaluation_store_up) == 1"
_BLIND = (
    "Every other alert is blind until it returns; failing tests stay as they were for six hours."
)
# No exporter shows a state; one did within six hours.
_GONE = "absent(evaluation_store_up == 1) and on () max_over_time(evaluation_store_up[6h]) == 1"


def _blind(span: str) -> str:
    """Exporters that are scraped still and show no state, or an old one, but did well within that time."""
    return (
        f"(max_over_time(evaluation_store_up[{span}]) == 1"
        " unless on (instance, job) (evaluation_store_up == 1) and on (instance, job) up)"
    )


_AGAIN = ", ".join(label for label in REPLICA_LABELS if label != "job")  # another of the same kind
_WELL = "evaluation_store_up == 1"
# Columns of l, a row of a view. A stream that was silent for a month and for three intervals is retired, as on /metrics.
_STREAM = "l.project, l.model, l.evaluation, l.segment, l.stream"
_EXPORTER = "split_part(l.report_url, '/snapshots/', 1) as exporter"
HEARD = "greatest(l.window_end, l.computed_at) > now() - greatest(interval '30 days', 3 * (l.window_end - l.time))"
_OF_STREAM = " and ".join(
    f"o.{c} = l.{c}" for c in ("project", "model", "evaluation", "segment", "stream")
)
_OF_FIGURE = "o.metric = m.metric and o.column_name = m.column_name and o.label = m.label and o.params = m.params"


def _kept(record: str, expression: str, while_: str, but: str = "") -> dict[str, str]:
    """What is recorded stays as it is while that holds, so that nothing seems mended."""
    return {"record": record, "expr": f"{expression} or ({record} and on () ({while_}){but})"}


def _usual(gauge: str, span: str, labels: str = "") -> dict[str, str]:
    """A mean over many batches, which is costly to find and slow to change: once an hour is enough."""
    of_time = f"avg_over_time({gauge}{labels}[{span}])"
    return {
        "record": f"stream:{gauge}:avg{span}",
        "expr": f"avg without ({OF_REPLICAS}) ({of_time})",
    }


def _usually(gauge: str, span: str) -> str:
    return f"last_over_time(stream:{gauge}:avg{span}[3h])"


def _beside_its_month(metrics: str, condition: str, share: str) -> str:
    """SQL: streams with one of the metrics at such a share of its mean of 30 days."""
    return f"""\
select {_STREAM}, {_EXPORTER}, {share}::float8 as share
from grafana.latest_snapshots l
join grafana.latest_metrics m on m.snapshot_id = l.snapshot_id and m.metric in ({metrics}) and m.column_name = '' and m.label = ''
cross join lateral (select avg(o.value) as mean from grafana.metrics o where {_OF_STREAM}
                    and {_OF_FIGURE} and o.time > l.time - interval '30 days' and o.time <= l.time) usual
where {HEARD} and {condition}
group by 1, 2, 3, 4, 5, 6"""


_ALERTING = of_replicas("evaluation_alerting_tests")
STREAMS_KEPT = _kept(  # what is shown still, while the store is away, is not kept beside that
    "stream:evaluation_alerting_tests:kept",
    f"{_ALERTING} > 0",
    f"({_GONE}) or {_blind('6h')}",
    f" unless {_ALERTING}",
)
TESTS_KEPT = _kept("test:evaluation_test_alert:kept", of_replicas("evaluation_test_alert"), _GONE)
USUAL = (
    _usual("evaluation_batch_rows", "14d", '{segment=""}'),
    _usual("evaluation_roc_auc", "30d"),
    _usual("evaluation_f1", "30d"),
    _usual("evaluation_accuracy", "30d"),
    _usual("evaluation_mae", "30d"),
    _usual("evaluation_mae", "7d", '{arm=~"champion|challenger"}'),
)
EXPORTER = (
    Rule(
        name="EvaluationExporterDown",
        component="exporter",
        severity="page",
        summary="No evaluation exporter answers.",
        description=f"Prometheus has had no sample of any evaluation exporter for five minutes. {_BLIND}",
        promql="absent(evaluation_store_up)",
        hold="5m",
        panel=("exporter-health", 1),
        meaning=f"Prometheus scrapes no exporter: none runs, the network is cut, or the token is wrong. {_BLIND}",
        look="`up` in Prometheus and its page of targets; the log of `exporter serve`; `curl -s http://127.0.0.1:9877/-/healthy` on its machine.",
        act="Start it again. 401 in the target's error: the token file of Prometheus is not what `EXPORTER_TOKEN` holds. "
        "A scrape that exceeds `sample_limit` fails as a whole: raise it above `max_series`.",
        silence="By `alertname` while the exporter is moved; it inhibits all others anyway.",
    ),
    Rule(
        name="EvaluationStoreUnreachable",
        component="exporter",
        severity="page",
        summary="No exporter reaches the store.",
        description="The exporters answer, with the state they last saw; new batches do not show.",
        promql="max(evaluation_store_up) == 0",
        hold="5m",
        panel=("exporter-health", 2),
        meaning="PostgreSQL does not answer, refuses the role, or is at an older schema. `exporter run` meanwhile keeps its snapshots in the spool: nothing is lost.",
        look="`exporter db status CONFIG`; the log of `exporter serve`; PostgreSQL's own log.",
        act="Bring PostgreSQL back; nothing else has to be restarted. After an upgrade of the exporter: `exporter db migrate CONFIG`.",
        silence="By `alertname` during maintenance of the database.",
    ),
    Rule(
        name="EvaluationOneExporterDown",
        component="exporter",
        severity="",
        summary="The exporter {{ $labels.instance }} is down, or does not reach its store; others do.",
        description="{{ if eq $labels.severity `page` }}No other one has its target's labels: of its models nothing is told."
        "{{ else }}Another one shows the same; nobody is left if that one ends.{{ end }}",
        promql=f'(label_replace({_blind("7d")} unless ignoring ({_AGAIN}) ({_WELL}), "severity", "page", "", "")'
        f' or label_replace({_blind("7d")} and ignoring ({_AGAIN}) ({_WELL}), "severity", "warning", "", ""))'
        f" and on () ({_WELL})",
        hold="5m",
        panel=("exporter-health", 1),
        meaning="One of several exporters does not answer, or answers without its store, and did so within a week. It warns where another one has the "
        "same labels in Prometheus (but for `instance`, `pod` and the like), as replicas on one store have, and pages where none has: that was the only "
        "one of its `job`, or of its `env`, `namespace` or whatever you call it.",
        look="The page of targets in Prometheus; the log of that `exporter serve`; `exporter db status CONFIG` on its machine.",
        act="Start it again, or take its target out of Prometheus if it is gone for good: that ends the alert.",
        silence="By `alertname` and `instance`.",
    ),
    Rule(
        name="EvaluationRefreshStuck",
        component="exporter",
        severity="warning",
        summary="An exporter shows an old state.",
        description="Its last look at the store was {{ $value | humanizeDuration }} ago, although the store answers.",
        promql=f"max(time() - evaluation_exporter_last_refresh_timestamp_seconds and on (instance, job) {_WELL}) > 600",
        hold="5m",
        panel=("exporter-health", 3),
        meaning="The thread that reads the store hangs or fails again and again.",
        look="`evaluation_exporter_refresh_failures_total` and the log of `exporter serve`.",
        act="Restart the exporter; report what its log says.",
        silence="By `alertname`.",
    ),
    Rule(
        name="EvaluationSeriesDropped",
        component="exporter",
        severity="warning",
        summary="The exporter leaves out series.",
        description="{{ $value }} series are not shown (reason: {{ $labels.reason }}).",
        promql="max by (reason) (evaluation_exporter_series_dropped) > 0",
        hold="15m",
        panel=("exporter-health", 6),
        meaning="`max_series`: there are more figures than the budget allows; figures of columns go first, states and tests last. "
        "`duplicate`: two figures differ only by options that are not labels.",
        look="Dashboard Exporter health; `evaluation_exporter_series`.",
        act="Raise `prometheus: {max_series: …}` and `sample_limit` together, or set `segments: none`; give one of two equal figures a `name:`.",
        silence="By `alertname` and `reason`; alerts of tests are not affected as long as `evaluation_exporter_series` is above the number of tests.",
    ),
    Rule(
        name="EvaluationTestAlert",
        component="exporter",
        severity="info",
        labels={"project": "test", "model": "test"},
        summary="A test of the way that alerts take.",
        description="Somebody ran `exporter alerts --test`. Nothing is wrong; it ends by itself within ten minutes.",
        promql="max(evaluation_exporter_test_alert) == 1",
        sql="select 'test' as project, 'test' as model, 1::float8 as value from grafana.test_alert",
        hold="0s",
        panel=("exporter-health", 1),
        meaning="`exporter alerts --test` was run to see whether an alert arrives.",
        look="The message itself: receivers, links and labels as they will be.",
        act="Nothing.",
        silence="It ends by itself.",
    ),
)
FRESHNESS = (
    Rule(
        name="EvaluationBatchLate",
        component="freshness",
        severity="warning",
        summary="No new batch of " + _EVALUATION + ".",
        description="Its last window ended {{ $value | humanizeDuration }} ago: more than two of its intervals, beside the time that it waits for rows and labels.",
        promql=f"time() - {_END} > 2 * {_INTERVAL} + ({_WAIT} or 0 * {_INTERVAL})",
        sql=f"""\
select {_STREAM}, {_EXPORTER}, max(extract(epoch from now() - l.window_end))::float8 as seconds
from grafana.latest_snapshots l
where l.segment = '' and {HEARD}
  and extract(epoch from now() - l.window_end) > 2 * l.interval_seconds + coalesce(l.wait_seconds, 0)
group by 1, 2, 3, 4, 5, 6""",
        hold="5m",
        panel=("fleet-overview", 3),
        meaning="The job that evaluates, or the one that writes its data, has not run; of an evaluation that waits for labels: no labels come. "
        "It inhibits the alerts of tests of the same evaluation: they speak of an old batch.",
        look=f"`exporter list CONFIG --model …`, {_OF}; `exporter run CONFIG` says what is due and why not; the scheduler's log.",
        act="Run the job; `exporter run CONFIG` catches up on every due window by itself. A model that was retired: `exporter delete` its snapshots, or silence it until it is forgotten, for 30 days.",
        silence="By `project`, `model` and `evaluation` until the feed is back; holidays by a mute time.",
    ),
    Rule(
        name="EvaluationNeverRan",
        component="freshness",
        severity="warning",
        summary=_MODEL + ", {{ $labels.evaluation }}: nothing was ever evaluated.",
        description="The config has it, and its first batch should have been there {{ $value | humanizeDuration }} ago.",
        promql=f"time() - {shown('evaluation_first_batch_due_timestamp_seconds')} > 0",
        sql="""\
select l.project, l.model, l.evaluation, extract(epoch from now() - l.due)::float8 as seconds
from grafana.never_evaluated l
where l.due < now()""",
        hold="5m",
        panel=("fleet-overview", 3),
        meaning="`exporter run` has had this evaluation in its config for two intervals, beside the time that it waits for rows and labels, and never "
        "made a snapshot of it. No other alert can miss what never was.",
        look=f"`exporter run CONFIG` says why: no file matches, no rows have a time, no labels came; {_OF}.",
        act="Correct the path or the columns, or take the evaluation out of the config: the next run ends the alert.",
        silence="By `project`, `model` and `evaluation` until the data come.",
    ),
    Rule(
        name="EvaluationModelMissing",
        component="freshness",
        severity="warning",
        summary=_MODEL + " is no longer shown.",
        description="It was there within the last day, and is gone: deleted, renamed, or silent for longer than `forget`.",
        promql=f"max without ({OF_REPLICAS}, evaluation, segment) (last_over_time(evaluation_window_end_timestamp_seconds[1d]))"
        f" unless max without ({OF_REPLICAS}, evaluation, segment) (evaluation_window_end_timestamp_seconds) and {_STORE_ANSWERS}"
        f" unless on () {_blind('6h')}",
        hold="15m",
        panel=("fleet-overview", 1),
        meaning="All streams of a model, or of one set of its stream tags, vanished from `/metrics`. It ends by itself after a day.",
        look="`exporter list CONFIG --model …`; was the model renamed in the config, or another store given?",
        act="Put the name back, or let it end.",
        silence="By `project` and `model`.",
    ),
    Rule(
        name="EvaluationNoModels",
        component="freshness",
        severity="warning",
        summary="The exporter shows no model at all.",
        description="It answers and reaches its store, in which nothing was evaluated for a month.",
        promql="absent(evaluation_window_end_timestamp_seconds) and " + _STORE_ANSWERS,
        sql=f"select 'store' as store, 1::float8 as value where not exists (select from grafana.latest_snapshots l where {HEARD})",
        hold="15m",
        panel=("fleet-overview", 1),
        meaning="The store is empty, or not the one that `exporter run` writes to.",
        look="`exporter db status CONFIG`, `exporter list CONFIG`.",
        act="Give `run` and `serve` the same `store:`; run the first evaluation.",
        silence="By `alertname` until the first model is watched.",
    ),
)
TESTS = (
    Rule(
        name="EvaluationTestsFailing",
        component="tests",
        severity="",
        summary=_EVALUATION
        + ": {{ $value }} {{ if eq $value 1.0 }}test fails{{ else }}tests fail{{ end }}.",
        description="",  # names of tests and columns: see prometheus.py
        promql=f"{STREAMS_KEPT['record']} > 0",
        sql=f"""\
select {_STREAM}, l.severity, {_EXPORTER}, count(*)::float8 as tests
from grafana.alerting_tests l
where {HEARD}
group by 1, 2, 3, 4, 5, 6, 7""",
        panel=("tests", 10),
        meaning="Tests of the newest batch failed, or could not be done, as often as their `alert:` says: at once where it says nothing. "
        "A critical test pages, others warn. What was skipped (too few rows, labels not mature) is silent.",
        look=f"The report that the alert links to, or dashboard Tests, {_OF}; `exporter show CONFIG --model … --status fail`; `exporter alerts CONFIG`.",
        act="Is it the data (missing, new categories, out of range: ask who writes it) or the world (drift in many columns, quality falling: retrain)? "
        "Mended data: `exporter run CONFIG --force --from … --to …` evaluates the window again, and the alert ends. "
        "A test that cries wolf: widen it, or let it wait with `alert: {after: 2 of 3}`.",
        silence="By `project`, `model` and `evaluation`, until the next batch is due. For one test `alert: false` in the config, which counts from the next batch on, or at once with `exporter run CONFIG --force --from …`.",
    ),
    Rule(
        name="EvaluationTestFailingRepeatedly",
        component="tests",
        severity="page",
        summary=_EVALUATION + ": " + _TEST + " has failed {{ $value }} windows in a row.",
        description="Nobody has mended it, or nobody can: then the test, or the model, is to be changed.",
        promql=f"{_STREAK} and {_PAGING}",
        linger="10m",
        sql=f"""\
select {_STREAM}, l.test, l.metric, l.column_name as "column", {_EXPORTER}, max(l.streak)::float8 as windows
from grafana.watched_tests l
where l.alerting and l.severity = 'page' and l.streak >= 3 and {HEARD}
group by 1, 2, 3, 4, 5, 6, 7, 8, 9""",
        panel=("tests", 10),
        meaning="A test that pages has failed in three windows in a row or more; what only warns, or has `alert: false`, is not among them.",
        look="Dashboard Tests: since when, and how far from the bound.",
        act="As for EvaluationTestsFailing. Three in a row are no accident.",
        silence="By `project`, `model`, `test` and `column`.",
    ),
    Rule(
        name="EvaluationFiguresFailed",
        component="tests",
        severity="warning",
        summary=_EVALUATION + ": {{ $value }} figures could not be computed.",
        description="A column is gone, unreadable or of another type, or has no values; each row says which and why.",
        promql=f"{shown('evaluation_failed_figures')} > 0",
        sql=f"""\
select {_STREAM}, {_EXPORTER}, max(l.figures_failed)::float8 as figures
from grafana.latest_snapshots l
where {HEARD} and l.figures_failed > 0
group by 1, 2, 3, 4, 5, 6""",
        panel=("data-quality", 42),
        meaning="Metrics or drift scores of the newest batch have an error instead of a value.",
        look="The batch's report, under what was not computed; `exporter show CONFIG --model …`.",
        act="Restore the column, or take it out of the config if it is gone for good.",
        silence="By `project`, `model` and `evaluation`.",
    ),
)
FIGURES = (
    Rule(
        name="EvaluationBatchSmall",
        component="figures",
        severity="info",
        summary=_EVALUATION + ": {{ $value }} rows, less than half of what is usual.",
        description="Compared with the mean of the last two weeks.",
        promql=f"""{shown('evaluation_batch_rows{segment=""}')} < 0.5 * {_usually("evaluation_batch_rows", "14d")}""",
        sql=f"""\
select {_STREAM}, {_EXPORTER}, max(l.rows)::float8 as rows
from grafana.latest_snapshots l
where l.segment = '' and {HEARD}
  and l.rows < 0.5 * (select avg(o.rows) from grafana.snapshots o where {_OF_STREAM}
                      and o.time > l.time - interval '14 days' and o.time <= l.time)
group by 1, 2, 3, 4, 5, 6""",
        panel=("data-quality", 12),
        meaning="The batch is much smaller than those before it. A test on `row_count` says the same with a bound of its own.",
        look="Dashboard Data quality, rows over time.",
        act="Ask who writes the data whether all of it has arrived; evaluate the window again when it has.",
        silence="By `project` and `model`.",
    ),
    Rule(
        name="EvaluationDriftHigh",
        component="figures",
        severity="info",
        summary=_EVALUATION + ": {{ $value | humanizePercentage }} of the columns have drifted.",
        description="Half of the columns and more: rather the reference, a feed or the season than single columns.",
        promql=f"{shown('evaluation_drifted_columns_ratio')} >= 0.5",
        sql=f"""\
select {_STREAM}, {_EXPORTER}, max(m.value)::float8 as share
from grafana.latest_snapshots l
join grafana.latest_metrics m on m.snapshot_id = l.snapshot_id and m.metric = 'drifted_columns_ratio'
where {HEARD} and m.value >= 0.5
group by 1, 2, 3, 4, 5, 6""",
        panel=("data-drift", 11),
        meaning="At least half of the columns have moved away from the reference.",
        look="Dashboard Data drift: which columns, how far, and since when.",
        act="A fixed reference that has aged: take a rolling one. A feed that changed: ask who writes it.",
        silence="By `project` and `model`.",
    ),
    Rule(
        name="EvaluationMissingHigh",
        component="figures",
        severity="info",
        summary=_EVALUATION
        + ": {{ $value | humanizePercentage }} of {{ $labels.column }} is missing.",
        description="At least half of the column has no value; a week ago it was less than two fifths.",
        promql=f"{of_replicas('evaluation_missing_ratio >= 0.5')} unless {of_replicas('evaluation_missing_ratio offset 7d >= 0.4')}",
        linger="10m",
        sql=f"""\
select {_STREAM}, m.column_name as "column", {_EXPORTER}, max(m.value)::float8 as share
from grafana.latest_snapshots l
join grafana.latest_metrics m on m.snapshot_id = l.snapshot_id and m.metric = 'missing_ratio' and m.label = ''
where {HEARD} and m.value >= 0.5
  and not coalesce((select o.value from grafana.metrics o where {_OF_STREAM} and {_OF_FIGURE}
                    and o.window_end <= now() - interval '7 days' and o.time <= l.time order by o.time desc limit 1) >= 0.4, false)
group by 1, 2, 3, 4, 5, 6, 7""",
        panel=("data-quality", 11),
        meaning="A column that used to be filled is half empty, or more.",
        look="Dashboard Column: since when, and in which segment.",
        act="Ask who writes the column. A test on `missing_ratio` says it sooner.",
        silence="By `project`, `model` and `column`.",
    ),
    Rule(
        name="EvaluationQualityDropped",
        component="figures",
        severity="info",
        summary=_EVALUATION + ": quality is a tenth below its month.",
        description="ROC AUC, F1 or accuracy (whichever is there) is below nine tenths of its mean of the last 30 days.",
        promql=" or ".join(
            f"{shown(gauge)} < 0.9 * {_usually(gauge, '30d')}"
            for gauge in ("evaluation_roc_auc", "evaluation_f1", "evaluation_accuracy")
        ),
        sql=_beside_its_month(
            "'roc_auc', 'f1', 'accuracy'", "m.value < 0.9 * usual.mean", "min(m.value / usual.mean)"
        ),
        panel=("classification", 12),
        meaning="A classifier has become worse than it was this month.",
        look="Dashboards Classification and Data drift, side by side.",
        act="If inputs drifted too: retrain on recent data. If not: the relation between input and target has changed.",
        silence="By `project` and `model`.",
    ),
    Rule(
        name="EvaluationErrorsGrown",
        component="figures",
        severity="info",
        summary=_EVALUATION + ": errors are a quarter above their month.",
        description="The mean absolute error is above 1.25 times its mean of the last 30 days.",
        promql=f"{shown('evaluation_mae')} > 1.25 * {_usually('evaluation_mae', '30d')}",
        sql=_beside_its_month("'mae'", "m.value > 1.25 * usual.mean", "max(m.value / usual.mean)"),
        panel=("regression", 10),
        meaning="A regression errs more than it did this month.",
        look="Dashboards Regression and Data drift, side by side.",
        act="As for EvaluationQualityDropped.",
        silence="By `project` and `model`.",
    ),
    Rule(
        name="EvaluationChallengerBetter",
        component="figures",
        severity="info",
        summary=_MODEL + ", {{ $labels.evaluation }}: the challenger errs less.",
        description="Over a week the challenger's mean absolute error was at least 5 % below the champion's.",
        promql='avg without (arm) (last_over_time(stream:evaluation_mae:avg7d{arm="challenger"}[3h]))'
        ' < 0.95 * avg without (arm) (last_over_time(stream:evaluation_mae:avg7d{arm="champion"}[3h]))',
        sql="""\
select o.project, o.model, o.evaluation, o.segment, (o.stream_tags - 'arm')::text as others,
       (1 - avg(o.value) filter (where o.stream_tags ->> 'arm' = 'challenger') / avg(o.value) filter (where o.stream_tags ->> 'arm' = 'champion'))::float8 as gain
from grafana.metrics o
where o.metric = 'mae' and o.label = '' and o.time > now() - interval '7 days' and o.stream_tags ->> 'arm' in ('champion', 'challenger')
group by 1, 2, 3, 4, 5
having avg(o.value) filter (where o.stream_tags ->> 'arm' = 'challenger') < 0.95 * avg(o.value) filter (where o.stream_tags ->> 'arm' = 'champion')""",
        panel=("champion-challenger", 11),
        meaning="A model with stream tags `arm=champion` and `arm=challenger` has a better challenger.",
        look="Dashboard Champion and challenger: on how many common batches, and how sure it is.",
        act="Decide; this is good news.",
        silence="By `project` and `model`.",
    ),
)
RULES = (*EXPORTER, *FRESHNESS, *TESTS, *FIGURES)
