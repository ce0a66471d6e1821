"""docs/dashboards.md: what the dashboards show, from the dashboards themselves."""

from __future__ import annotations

from collections.abc import Iterator

from exporter.grafana.dashboard import Dashboard
from exporter.grafana.dashboards import DASHBOARDS

_HEAD = """\
# Dashboards

Twelve dashboards are in [`grafana_dashboards/`](../grafana_dashboards): each answers one question, opens with the state now,
and leads on, from the fleet to the model, to the column, and to the report of a single batch, with the time range and
the chosen variables kept. [grafana.md](grafana.md) tells how to bring them into a Grafana.

| dashboard | its question |
|---|---|
TABLE

Whoever opens them for the first time asks this, and begins with the fleet:

| question | where the answer stands |
|---|---|
| What is wrong now? | *Fleet overview*: the first rows of *Models*, the worst on top |
| Since when? | *Failing tests now*, there and on the model's page: `Since`, and how many batches in a row |
| In which columns? | the same table; a click on a test leads to it and to its column |
| Is it the data or the model? | the same table: `About`; on the model's page the numbers *Data* and *Model* |
| Is the challenger better? | click the model, then *vs ref*: *Champion and challenger* |
| What does that one batch look like? | `open ↗` in any table: its [report](reports.md) |

Everywhere the same:

- **Variables**: project, model, evaluation, segment (`whole batch` is all of its rows), stream tags (`arm=champion`;
  `no tags` where there are none), column, metric. A column list begins with the most drifted.
- **Colours**: green passed, yellow warning, red failed, purple could not be done, grey not tested, orange late or drifted.
  The batch is blue, its reference a dashed grey line, what a test allows a dashed red one; a challenger beside its champion
  is teal. Of several lines the first six have colours that mean no status.
- **Time**: a batch stands at the start of its window. One that is missing is a gap; of several snapshots of one window the
  newest is shown.
- **Events**: new versions (tag `version`), new fixed references, and, when switched on, failed batches.

Every query reads the [views](store.md#the-views) as the role `grafana`, and is executed by the tests: on a filled store, an
empty one, a range without batches, and with names that try to break it.

## Add a panel

A panel is a call in the module of its dashboard, `exporter/grafana/dashboards/NAME.py`, put into a row:

```python
from exporter.grafana.navigation import link_to
from exporter.grafana.charts import timeseries
from exporter.grafana.panels import sql
from exporter.grafana.queries import CHOSEN, FIGURE, history, metrics, where

shown = {"value": "value"}
mae = history("grafana.metrics", where(CHOSEN, metrics("mae")), named=FIGURE, values=shown)
panel = timeseries(
    77,
    "Mean absolute error",
    "How far off predictions are. Less is better. Source: grafana.metrics.",
    [sql(mae)],
    links=[link_to("regression", "Look closer", keep=("project", "model"))],
)
```

`77` is the panel's number, its own for ever within the dashboard. `make generate` writes the file, `make test` executes it.

"""


def dashboards_page() -> str:
    """The Markdown of docs/dashboards.md."""
    rows = (f"| [{d.title}](#{_anchor(d)}) | {d.question} |" for d in DASHBOARDS)
    parts = [_HEAD.replace("TABLE", "\n".join(rows))]
    for dashboard in DASHBOARDS:
        parts += [*_section(dashboard), ""]
    return "\n".join(parts)


def _anchor(dashboard: Dashboard) -> str:
    return dashboard.title.lower().replace(" ", "-")


def _section(dashboard: Dashboard) -> Iterator[str]:
    yield f"## {dashboard.title}\n"
    yield f"{dashboard.question} Uid `evaluation-{dashboard.name}`.\n"
    yield f"![{dashboard.title}](images/{dashboard.name}.png)\n"
    yield "| panel | what it shows |"
    yield "|---|---|"
    for panel in dashboard.panels:
        said = panel["description"].replace("|", "\\|")
        yield f"| {panel['title']} | {said} |"
