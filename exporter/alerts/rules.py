"""Every alert there is, by what it is about."""

from __future__ import annotations

from exporter.alerts.definitions import Rule, of_replicas

_OF = "`{project=…, model=…, evaluation=…}` of the alert"
_MODEL = "{{ $labels.project }} / {{ $labels.model }}"
_EVALUATION = _MODEL + ", {{ $labels.evaluation }}{{ with $labels.segment }} of {{ . }}{{ end }}"
_TEST = "{{ $labels.test }}{{ with $labels.column }} of {{ . }}{{ end }}"
_ALERTING = of_replicas("evaluation_alerting_tests")
_LAST_SEEN = of_replicas("last_over_time(evaluation_alerting_tests[6h])")
_END = of_replicas('evaluation_window_end_timestamp_seconds{segment=""}')
_INTERVAL = of_replicas('evaluation_batch_interval_seconds{segment=""}')
_WAIT = of_replicas('evaluation_batch_wait_seconds{segment=""}')
# A stream that was silent for a month and for three intervals is retired, as on /metrics.
_HEARD = "greatest(window_end, computed_at) > now() - greatest(interval '30 days', 3 * (window_end - time))"
_STREAM = "project, model, evaluation, segment, stream"
_STORE_ANSWERS = "on () max(evaluation_store_up) == 1"
_BLIND = (
    "Every other alert is blind until it returns; those that fired stay as they were for six hours."
)
_ROWS = of_replicas('evaluation_batch_rows{segment=""}')
_USUAL_ROWS = of_replicas('avg_over_time(evaluation_batch_rows{segment=""}[14d])')

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
        look="`up` in Prometheus and its page of targets; the log of `exporter serve`; `curl -s http://HOST:9877/-/healthy`.",
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
        name="EvaluationRefreshStuck",
        component="exporter",
        severity="warning",
        summary="The exporter shows an old state.",
        description="Its last look at the store was {{ $value | humanizeDuration }} ago, although the store answers.",
        promql="time() - max(evaluation_exporter_last_refresh_timestamp_seconds) > 600 and "
        + _STORE_ANSWERS,
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
        panel=("exporter-health", 4),
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
        promql=f"time() - {_END} > 2 * {_INTERVAL} + {_WAIT}",
        sql=f"""\
select project, model, evaluation, stream, max(extract(epoch from now() - window_end))::float8 as seconds
from grafana.latest_snapshots
where segment = '' and extract(epoch from now() - window_end) > 2 * interval_seconds + coalesce(wait_seconds, 0)
  and {_HEARD}
group by 1, 2, 3, 4""",
        hold="5m",
        panel=("fleet-overview", 3),
        meaning="The job that evaluates, or the one that writes its data, has not run; of an evaluation that waits for labels: no labels come. "
        "It inhibits the alerts of tests of the same evaluation: they speak of an old batch.",
        look=f"`exporter list CONFIG --model …`, {_OF}; `exporter run CONFIG` says what is due and why not; the scheduler's log.",
        act="Run the job; `exporter run CONFIG` catches up on every due window by itself. A model that was retired: `exporter delete` its snapshots, or wait for `forget`.",
        silence="By `project`, `model` and `evaluation` until the feed is back; holidays by a mute time.",
    ),
    Rule(
        name="EvaluationModelMissing",
        component="freshness",
        severity="warning",
        summary=_MODEL + " is no longer shown.",
        description="It was there within the last day, and is gone: deleted, renamed, or silent for longer than `forget`.",
        promql="max by (project, model) (last_over_time(evaluation_window_end_timestamp_seconds[1d]))"
        " unless max by (project, model) (evaluation_window_end_timestamp_seconds) and "
        + _STORE_ANSWERS,
        hold="15m",
        panel=("fleet-overview", 1),
        meaning="All streams of a model vanished from `/metrics`. It ends by itself after a day.",
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
        sql=f"select 'none' as models, 1::float8 as value where not exists (select from grafana.latest_snapshots where {_HEARD})",
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
        promql=f"{_ALERTING} > 0 or ({_LAST_SEEN} > 0 and on () absent(evaluation_store_up))",
        sql=f"select {_STREAM}, severity, count(*)::float8 as tests from grafana.alerting_tests where {_HEARD} group by 1, 2, 3, 4, 5, 6",
        panel=("tests", 1),
        meaning="Tests of the newest batch failed, or could not be done, as often as their `alert:` says: at once where it says nothing. "
        "A critical test pages, others warn. What was skipped (too few rows, labels not mature) is silent.",
        look=f"The report that the alert links to, or dashboard Tests, {_OF}; `exporter show CONFIG --model … --status fail`; `exporter alerts CONFIG`.",
        act="Is it the data (missing, new categories, out of range: ask who writes it) or the world (drift in many columns, quality falling: retrain)? "
        "Mended data: `exporter run CONFIG --force --from … --to …` evaluates the window again, and the alert ends. "
        "A test that cries wolf: widen it, or let it wait with `alert: {after: 2 of 3}`.",
        silence="By `project`, `model` and `evaluation`, until the next batch is due; for one test `alert: false` in the config.",
    ),
    Rule(
        name="EvaluationTestFailingRepeatedly",
        component="tests",
        severity="page",
        summary=_EVALUATION + ": " + _TEST + " has failed {{ $value }} windows in a row.",
        description="Nobody has mended it, or nobody can: then the test, or the model, is to be changed.",
        promql=of_replicas("evaluation_test_consecutive_failures")
        + " >= 3 and ignoring (critical, severity) "
        + of_replicas('evaluation_test_alert{severity="page"}'),
        sql=f"""\
select {_STREAM}, test, metric, column_name as column, max(streak)::float8 as windows
from grafana.watched_tests where alerting and severity = 'page' and streak >= 3 and {_HEARD}
group by 1, 2, 3, 4, 5, 6, 7, 8""",
        panel=("tests", 1),
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
        promql=f"{of_replicas('evaluation_failed_figures')} > 0",
        sql=f"select {_STREAM}, figures_failed::float8 as figures from grafana.latest_snapshots where figures_failed > 0 and {_HEARD}",
        panel=("data-quality", 1),
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
        promql=f"{_ROWS} < 0.5 * {_USUAL_ROWS}",
        panel=("data-quality", 1),
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
        promql=f"{of_replicas('evaluation_drifted_columns_ratio')} >= 0.5",
        panel=("data-drift", 1),
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
        description="At least half of the column has no value, whatever the reference has.",
        promql=f"{of_replicas('evaluation_missing_ratio')} >= 0.5 unless "
        + of_replicas("avg_over_time(evaluation_missing_ratio[14d])")
        + " >= 0.4",
        panel=("data-quality", 1),
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
            f"{of_replicas(g)} < 0.9 * {of_replicas(f'avg_over_time({g}[30d])')}"
            for g in ("evaluation_roc_auc", "evaluation_f1", "evaluation_accuracy")
        ),
        panel=("classification", 1),
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
        promql=f"{of_replicas('evaluation_mae')} > 1.25 * {of_replicas('avg_over_time(evaluation_mae[30d])')}",
        panel=("regression", 1),
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
        promql='avg without (instance, job, arm) (avg_over_time(evaluation_mae{arm="challenger"}[7d]))'
        ' < 0.95 * avg without (instance, job, arm) (avg_over_time(evaluation_mae{arm="champion"}[7d]))',
        panel=("champion-challenger", 1),
        meaning="A model with stream tags `arm=champion` and `arm=challenger` has a better challenger.",
        look="Dashboard Champion and challenger: on how many common batches, and how sure it is.",
        act="Decide; this is good news.",
        silence="By `project` and `model`.",
    ),
)
RULES = (*EXPORTER, *FRESHNESS, *TESTS, *FIGURES)
