"""How one gets around: variables, links between dashboards, and events over time."""

from __future__ import annotations

from collections.abc import Sequence

from exporter.grafana.colours import EVENT, FAIL, GREY, Json
from exporter.grafana.panels import POSTGRES
from exporter.grafana.queries import (
    IN_RANGE,
    MAIN,
    OF_EVALUATION,
    OF_MODEL,
    OF_PROJECT,
    SEGMENT,
    STREAM,
    WHOLE,
    listed,
    where,
)

TAG = "evaluation"
RANGE = "${__url_time_range}"
# What stays chosen from one dashboard of a model to the next.
KEPT = ("project", "model", "evaluation", "segment", "stream")
_ALL = {"text": ["All"], "value": ["$__all"]}


def uid(name: str) -> str:
    """A dashboard's uid by its name."""
    return f"evaluation-{name}"


def link_to(
    name: str, title: str, *, row: Sequence[str] = (), keep: Sequence[str] = (), **given: str
) -> Json:
    """A data link to a dashboard that keeps the time range.

    *row*: variables whose value is the row's field of that name; *keep*: those that stay as they
    are here; *given*: others, as they stand in an address.
    """
    parts = [RANGE]
    parts += [f"var-{v}=${{__data.fields.{v}:percentencode}}" for v in row]
    parts += [f"${{{v}:queryparam}}" for v in keep]
    parts += [f"var-{variable}={value}" for variable, value in given.items()]
    return {"title": title, "url": f"/d/{uid(name)}?{'&'.join(parts)}", "targetBlank": False}


def report_link() -> Json:
    """The link of a cell that holds the address of a report page.

    The address is the cell's own value: of a row's fields Grafana gives what is shown, "open".
    """
    return {
        "title": "Open the report of this batch",
        "url": "${__value.raw:raw}",
        "targetBlank": True,
    }


def datasources(*, prometheus: bool = False) -> list[Json]:
    """The variables of the data sources."""
    made = [_datasource("postgres", "grafana-postgresql-datasource", "Evaluation PostgreSQL")]
    if prometheus:
        made.append(_datasource("prometheus", "prometheus", "Evaluation Prometheus"))
    return made


def _datasource(name: str, kind: str, label: str) -> Json:
    return {
        "type": "datasource",
        "name": f"{name}_datasource",
        "label": "Store" if name == "postgres" else "Prometheus",
        "description": "Which data source the panels read.",
        "query": kind,
        "current": {"text": label, "value": f"evaluation-{name}"},
        "hide": 0,
        "includeAll": False,
        "multi": False,
        "regex": "",
        "refresh": 1,
        "options": [],
    }


def choice(
    name: str,
    label: str,
    values: str,
    *,
    otherwise: str,
    many: bool = False,
    description: str = "",
    first: str = "",
) -> Json:
    """A variable whose values a query finds; *otherwise* is what stands there while it finds none.

    A query has one column, called as the variable. An empty list would be an error in Grafana.
    """
    query = f"""\
with found as (
{values})
select * from found
union all
select '{otherwise}' where not exists (select from found)"""
    one: Json = {"text": first, "value": first} if first else {}
    several = {k: [v] for k, v in one.items()} or _ALL
    return {
        "type": "query",
        "name": name,
        "label": label,
        "description": description,
        "datasource": POSTGRES,
        "query": query,
        "definition": query,
        "refresh": 2,
        "sort": 0,
        "multi": many,
        "includeAll": many,
        "regex": "",
        "hide": 0,
        "options": [],
        "current": several if many else one,
        "skipUrlSync": False,
    }


def _streams(column: str, name: str, conditions: str = "", order: str = "1") -> str:
    where_ = f"where {conditions} " if conditions else ""
    return f"select {column} as {name} from grafana.streams s {where_}group by 1 order by {order}"


def project(*, many: bool = False) -> Json:
    """The variable of projects."""
    return choice(
        "project", "Project", _streams("project", "project"), otherwise="no projects yet", many=many
    )


def model(*, many: bool = False, order: str = "1") -> Json:
    """The variable of the chosen projects' models, in an order of their streams."""
    return choice(
        "model",
        "Model",
        _streams("model", "model", OF_PROJECT, order),
        otherwise="no models yet",
        many=many,
    )


def evaluation(*, many: bool = True, order: str = "1") -> Json:
    """The variable of the chosen models' evaluations, in an order of their streams."""
    values = _streams("evaluation", "evaluation", OF_MODEL, order)
    return choice("evaluation", "Evaluation", values, otherwise="no evaluations yet", many=many)


def segment(*, many: bool = False, first: str = "") -> Json:
    """The variable of segments; the whole batch comes first. *first* is what is chosen at first."""
    values = _streams(SEGMENT, "segment", OF_EVALUATION, "bool_or(segment <> ''), 1")
    return choice("segment", "Segment", values, otherwise=WHOLE, many=many, first=first)


def stream(*, of: str = OF_MODEL) -> Json:
    """The variable of stream tags: arms, regions, or whatever tells a model's streams apart."""
    values = _streams(STREAM, "stream", of)
    return choice("stream", "Stream tags", values, otherwise="no tags", many=True)


def column(conditions: str, *, many: bool) -> Json:
    """The variable of columns, the most drifted first."""
    values = f"""\
select s.column_name as "column"
from (select distinct column_name from grafana.series where {conditions} and column_name <> '') s
left join (select column_name, max(severity) as severity from grafana.latest_drift
           where {conditions} group by 1) d using (column_name)
order by d.severity desc nulls last, 1 limit {50 if many else 500}"""
    return choice("column", "Column", values, otherwise="no columns yet", many=many)


def metric(conditions: str, *, many: bool) -> Json:
    """The variable of metrics that have figures; those that stand for a model come first."""
    values = f"""\
select name as metric from grafana.series where kind = 'metric' and {conditions}
group by 1 order by array_position(array[{listed((*MAIN, "missing_cells_ratio", "row_count"))}], name), 1"""
    return choice("metric", "Metric", values, otherwise="no metrics yet", many=many)


def events(conditions: str) -> list[Json]:
    """Annotations: new versions of models, new references, and failed batches."""
    return [
        _event("New versions", EVENT, _changes("tags ->> 'version'", "version", conditions)),
        _event("New references", GREY, _new_references(conditions)),
        _event("Failed batches", FAIL, _failed(conditions), enabled=False),
    ]


def _text(expression: str) -> str:
    """A text as an event's: Grafana takes it for HTML, and would load what a name puts there."""
    return f"replace(replace({expression}, '&', '&amp;'), '<', '&lt;') as text"


def _changes(what: str, word: str, conditions: str) -> str:
    said = f"model || coalesce(' · ' || nullif(stream, ''), '') || ': {word} ' || before || ' → ' || now"
    return f"""\
select time, {_text(said)}, '{word},' || model as tags
from (
  select time, model, stream, {what} as now,
    lag({what}) over (partition by project, model, evaluation, stream order by time) as before,
    row_number() over (partition by project, model, stream, time order by evaluation) as place
  from grafana.snapshots
  where {where(conditions, "segment = ''")} and tags ? 'version') x
where before <> now and place = 1 and {IN_RANGE}
order by 1"""


def _new_references(conditions: str) -> str:
    said = "model || coalesce(' · ' || nullif(stream, ''), '') || ': ' || evaluation || ' has a new reference'"
    return f"""\
select time, {_text(said)}, 'reference,' || model as tags
from (
  select time, model, stream, evaluation, reference_hash as now,
    lag(reference_hash) over (partition by project, model, evaluation, stream order by time) as before
  from grafana.snapshots
  where {where(conditions, "segment = ''", "reference_kind = 'fixed'")}) x
where before <> now and {IN_RANGE}
order by 1"""


def _failed(conditions: str) -> str:
    said = "model || coalesce(' · ' || nullif(stream, ''), '') || ': ' || string_agg(distinct evaluation || ' ' || status, ', ')"
    return f"""\
select time, max(window_end) as timeend, {_text(said)}, 'failed,' || model as tags
from grafana.snapshots
where {IN_RANGE} and {conditions} and status in ('fail', 'error')
group by time, project, model, stream
order by 1"""


def _event(name: str, colour: str, query: str, *, enabled: bool = True) -> Json:
    return {
        "name": name,
        "datasource": POSTGRES,
        "enable": enabled,
        "hide": False,
        "iconColor": colour,
        "target": {
            "refId": "Anno",
            "datasource": POSTGRES,
            "editorMode": "code",
            "format": "table",
            "rawQuery": True,
            "rawSql": query,
        },
    }
