"""A first config from the data alone: every guess with its reason, so that it can be corrected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from exporter.sources.tables import without
from exporter.starter.facts import Facts, facts_of
from exporter.starter.kinds import Kinds, kinds_of, missing_values
from exporter.starter.naming import family_of, model_name, project_name, quoted, relative
from exporter.starter.rankings import be_ranking
from exporter.starter.roles import Roles, roles_of
from exporter.starter.sampling import Sample, sampled
from exporter.starter.times import REACH, Clock, Windows, clock_of, day_of, windows_of
from exporter.starter.truths import Truths, truths_beside
from exporter.starter.writing import Page

LARGE, MEDIUM = 1000, 300  # rows of a window
LIMITS = {"regression": "{rmse: {lt: 25}}", "ranking": "{ndcg_at_k: {gte: 0.3}}"}
FEW_WINDOWS = 8  # below, the previous batch says more than a rolling reference
PARTS = ("id", "user", "item", "target", "prediction", "probability")
_NOT_THERE = "not in the reference, so nothing to compare with"


@dataclass(frozen=True, slots=True)
class Draft:
    """The text of a config, and what to tell of how it came to be, a line each."""

    text: str
    found: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Findings:
    """All that was inferred."""

    data: str
    source: str  # the path as it is written
    reference: str | None  # the same
    project: str
    model: str
    config: Path
    sample: Sample
    facts: Mapping[str, Facts]
    clock: Clock
    windows: Windows
    roles: Roles
    kinds: Kinds
    missing: Mapping[str | int, list[str]]
    truths: Truths | None  # files with the target
    beside: frozenset[str]  # columns of the reference
    unnamed: int

    @property
    def late(self) -> list[str]:
        """Columns that only the reference has: perhaps truths that come later."""
        known = {*self.sample.table.column_names, self.roles.target}
        return sorted(name for name in self.beside if name not in known)


def starter_config(
    data: str,
    *,
    reference: str | None = None,
    config_path: Path = Path("exporter.yaml"),
    project: str | None = None,
) -> Draft:
    """A config for the data of a file, glob or folder, to be written to *config_path*.

    Of large data only samples are read. With a *reference* (a path as well) batches are compared
    with it, else with the windows before. Raises BatchError for data that cannot be read, have no
    rows or no column of times.
    """
    findings = _findings(data, reference, config_path, project)
    return Draft(_written(findings), tuple(_told(findings)))


def _findings(
    data: str, reference: str | None, config_path: Path, project: str | None
) -> _Findings:
    sample = sampled(data)
    facts = {n: f for n, f in facts_of(sample.table).items() if n.strip() and "\0" not in n}
    clock = clock_of(sample, facts, data)
    beside = _columns_of(reference) if reference else frozenset[str]()
    missing = missing_values({n: f for n, f in facts.items() if n != clock.name})
    facts = {n: f for n, f in facts_of(without(sample.table, list(missing))).items() if n in facts}
    apart = {clock.name, *clock.others}
    roles, truths = roles_of(facts, apart), None
    if roles.id and not roles.target:
        truths = truths_beside(data, facts[roles.id], clock.name, but=reference)
    if truths:
        roles = roles_of(facts, apart, truths.facts)
    be_ranking(facts, apart, roles)
    taken = {clock.name, *roles.columns}
    absent = {n: _NOT_THERE for n in facts if reference and n not in beside and n not in taken}
    kinds = kinds_of(sample, facts, taken, {**absent, **_of_texts(facts, clock), **roles.spare})
    own = project_name(config_path.parent)
    return _Findings(
        data=data,
        source=relative(data, config_path.parent),
        reference=relative(reference, config_path.parent) if reference else None,
        project=project or own,
        model=model_name(data, own),
        config=config_path,
        sample=sample,
        facts=facts,
        clock=clock,
        windows=windows_of(clock, sample.rows, is_whole=sample.is_whole),
        roles=roles,
        kinds=kinds,
        missing=missing,
        truths=truths if roles.target and roles.target not in facts else None,
        beside=beside,
        unnamed=len(sample.table.column_names) - len(facts),
    )


def _columns_of(reference: str) -> frozenset[str]:
    return frozenset(sampled(reference).table.column_names)


def _of_texts(facts: Mapping[str, Facts], clock: Clock) -> dict[str, str]:
    return {n: "times written as text" for n in clock.others if facts[n].family == "text"}


def _written(found: _Findings) -> str:
    page = Page()
    _write_head(page, found)
    page.add("models:")
    page.add(f"{quoted(found.model)}:", "the name in the store, on dashboards, in alerts", 2)
    page.add(f"task: {found.roles.task}", found.roles.why["task"], 4)
    page.add(f"source: {{path: {_path(found.source)}}}", _source_said(found), 4)
    page.add(f"batch: {found.windows.batch}", f"{found.windows.said}; or 1h, 1d, 1w, 1mo", 4)
    wait = "15m" if found.windows.batch == "1h" else "2h"
    page.add(f"wait: {wait}", "a window is evaluated so long after its end", 4)
    _write_reference(page, found)
    _write_missing(page, found)
    if found.truths:
        path = relative(found.truths.path, found.config.parent)
        text = f"labels: {{path: {_path(path)}, delay: 7d}}"
        page.add(text, "late targets; the delay is a guess", 4)
    if found.roles.by_rank:
        page.add("ranking: {by: rank}", "the prediction is the place, not a score", 4)
    page.add("columns:", indent=4)
    _write_roles(page, found)
    _write_kinds(page, found.kinds)
    page.add("evaluations:", indent=4)
    _write_evaluations(page, found)
    return page.text


def _write_head(page: Page, found: _Findings) -> None:
    name = found.config.name
    page.add("", f"By `exporter init` from {_one_line(found.source)}: {_size(found)}.")
    page.add(
        "", "It runs as it is. Beside every guess stands its reason: change what is wrong, then"
    )
    page.add("", f"  exporter validate {name}")
    page.add("", f"  exporter run {name}")
    page.add()
    page.add(f"project: {quoted(found.project)}", "groups the models of one team or product")
    page.add(f"timezone: {found.clock.zone}", found.clock.why)
    page.add("store: embedded", "a PostgreSQL of our own; or postgresql://…, or !env DATABASE_URL")
    page.add()


def _write_reference(page: Page, found: _Findings) -> None:
    batch = found.windows.batch
    rolling = f"{{rolling: {REACH[batch]}}}"
    if found.reference:
        text = f"reference: {{path: {_path(found.reference)}}}"
        page.add(text, f"or {rolling}, which follows the seasons", 4)
    elif found.windows.count < FEW_WINDOWS:
        why = f"the batch before; when there are more, {rolling}"
        page.add("reference: {previous: 1}", why, 4)
    else:
        why = "the time before each batch; or {path: …}, e.g. the training's data"
        page.add(f"reference: {rolling}", why, 4)


def _write_missing(page: Page, found: _Findings) -> None:
    if not found.missing:
        return
    values = ", ".join(str(v) if isinstance(v, int) else f'"{v}"' for v in found.missing)
    columns = list(dict.fromkeys(name for names in found.missing.values() for name in names))
    page.add(
        f"missing_values: [{values}]", f"seen in {_few(columns)}: take out what is a real value", 4
    )


def _write_roles(page: Page, found: _Findings) -> None:
    roles, clock = found.roles, found.clock
    page.add(f"time: {quoted(clock.name)}", _time_said(clock), 6)
    for key in PARTS:
        name = getattr(roles, key)
        if name is not None:
            late = key == "target" and found.truths is not None
            why = roles.why.get(key, "in the files of labels" if late else "by its name")
            page.add(f"{key}: {quoted(name)}", why, 6)
        elif key == "target":
            page.add("", _target_said(found), 6)
    if roles.positive is not None:
        page.add(f"positive: {quoted(roles.positive)}", roles.why["positive"], 6)


def _write_kinds(page: Page, kinds: Kinds) -> None:
    for key in ("numerical", "categorical", "datetime"):
        if names := getattr(kinds, key):
            page.listed(key, names, 6)
    if kinds.ignored:
        comment = "not read; to watch one, move it into a list above"
        page.reasons("ignore", kinds.ignored, comment, 6)


def _write_evaluations(page: Page, found: _Findings) -> None:
    roles, drifting = found.roles, found.kinds.numerical or found.kinds.categorical
    page.add("inputs:", indent=6)
    page.add(f"metrics: [data_summary{', data_drift' if drifting else ''}]", indent=8)
    why = "to alert on drift, add {column_drift: {threshold: 0.5, critical: false}}"
    page.add("tests: [data_stability]", why, 8)
    if roles.score and not roles.by_rank:
        columns = f"columns: [{quoted(roles.score)}]"
        threshold, why = _drift_limit(found.windows.rows)
        page.add("predictions:", indent=6)
        _write_own_reference(page, found, roles.score)
        page.add("requires: prediction", indent=8)
        page.add(f"metrics: [{{column_drift: {{{columns}, threshold: {threshold}}}}}]", why, 8)
        page.add(f"tests: [{{column_drift: {{{columns}}}}}]", indent=8)
    if roles.target and roles.task != "none":
        preset = roles.task if roles.task in LIMITS else "classification"
        tests = preset if roles.task in LIMITS else f"{roles.task}_{preset}"
        page.add("quality:", indent=6)
        _write_own_reference(page, found, roles.target, *filter(None, [roles.score]))
        page.add("requires: target", indent=8)
        page.add(f"metrics: [{preset}]", indent=8)
        limit = LIMITS.get(roles.task, "{recall: {gte: 0.8}}")
        page.add(f"tests: [{tests}]", f"or limits of your own: [{limit}]", 8)


def _drift_limit(rows: int) -> tuple[float, str]:
    """From which distance on a prediction has drifted: chance alone moves small batches so far."""
    if rows >= LARGE:
        return 0.1, "a distance: 0 is the same"
    return (0.2 if rows >= MEDIUM else 0.3), f"chance moves {rows:,} rows by half of it"


def _write_own_reference(page: Page, found: _Findings, *names: str) -> None:
    lacking = [name for name in names if name not in found.beside]
    if found.reference and lacking:
        text = f"reference: {{rolling: {REACH[found.windows.batch]}}}"
        page.add(text, f"the reference has no {_one_line(lacking[0])}", 8)


def _time_said(clock: Clock) -> str:
    if not clock.others:
        return "the only column of times; windows are cut by it"
    return f"windows are cut by it; or by {_few(clock.others)}"


def _target_said(found: _Findings) -> str:
    if found.late:
        return f"target: none; only the reference has {_few(found.late)}: see `labels:`"
    classes = [n for n in found.kinds.categorical if found.facts[n].distinct == 2]
    if found.roles.task == "binary" and classes:
        return f"target: none found by its name; {_few(classes)}? or, if it comes later, `labels:`"
    return "target: none found by its name; if it comes later, see `labels:`"


def _source_said(found: _Findings) -> str:
    files = found.sample.files
    if len(files) > 1:
        return f"{len(files):,} files; new ones are seen by the next run"
    near = family_of(files[0].path.name)
    if near != files[0].path.name:
        return f"or {near}, which takes in those to come"
    return "or a glob or a folder, which takes in those to come"


def _told(found: _Findings) -> Iterator[str]:
    clock, roles, kinds = found.clock, found.roles, found.kinds
    yield f"{_one_line(found.data)}: {_size(found)}"
    yield f"time: {_one_line(clock.name)}, read in {clock.zone}; {found.windows.said}"
    if clock.missing:
        yield f"{clock.missing:,} of {len(found.sample.table):,} rows looked at have no time: they are in no window"
    parts = [f"{k} {_one_line(v)}" for k in PARTS if (v := getattr(roles, k))]
    yield f"task: {roles.task}, {roles.why['task']}" + (f" ({', '.join(parts)})" if parts else "")
    yield (
        f"columns: {len(kinds.numerical)} numerical, {len(kinds.categorical)} categorical, "
        f"{len(kinds.ignored)} left out"
    )
    if not roles.target:
        yield "not decided: the target"
    if found.unnamed:
        have = "column has" if found.unnamed == 1 else "columns have"
        yield f"{found.unnamed} {have} no name, or one that cannot be stored: left out"
    if found.reference and found.late:
        yield f"only in the reference: {_few(found.late)}"


def _size(found: _Findings) -> str:
    files, about = len(found.sample.files), "" if found.sample.is_whole else "about "
    first, last = found.clock.span
    rows = found.sample.rows
    return (
        f"{files:,} file{'s' * (files != 1)}, {about}{rows:,} row{'s' * (rows != 1)}, "
        f"{day_of(first)} to {'about ' * found.sample.is_beginning}{day_of(last)}"
    )


def _path(path: str) -> str:
    return (
        '"' + path + '"' if "*" in path and '"' not in path and "\\" not in path else quoted(path)
    )


def _few(names: Sequence[str]) -> str:
    """The first names, for reading."""
    return ", ".join(map(_one_line, names[:4])) + (", …" if len(names) > 4 else "")


def _one_line(name: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in name)
