-- What "now", "late" and "failing since" mean is decided here, once, for dashboards, alerts and people.
alter table evaluation.project
  add exporter_url text not null default '',   -- told by each run from `links:` of its config; the address
  add grafana_url  text not null default '';   -- of `exporter serve` on its own machine where it is empty
comment on column evaluation.project.exporter_url is 'Where report pages are found.';

create or replace view grafana.snapshots as
select s.time, p.name as project, st.model, st.evaluation, st.segment, st.label as stream, st.tags as stream_tags,
       s.window_start, s.window_end, s.batch, s.computed_at, s.confirmed_at, s.revision, s.rows, s.reference_rows, s.labelled_rows,
       s.reference_kind, s.reference_start, s.reference_end, s.tags, s.status,
       array_position(array['success', 'warning', 'fail', 'error', 'skipped'], s.status) - 1 as status_code,
       s.tests_success, s.tests_warning, s.tests_fail, s.tests_error, s.tests_skipped,
       s.figures_failed, s.drifted_columns, s.tested_columns, s.drifted_columns::float8 / nullif(s.tested_columns, 0) as drifted_columns_ratio,
       s.exporter_version, s.metadata, s.stored_at, s.snapshot_id,
       s.reference_hash, extract(epoch from s.window_end - s.window_start)::float8 as interval_seconds,
       case jsonb_typeof(s.metadata -> 'wait_seconds') when 'number' then least((s.metadata ->> 'wait_seconds')::numeric, 1e9)::float8 end as wait_seconds,
       coalesce(nullif(p.exporter_url, ''), 'http://127.0.0.1:9877') || '/snapshots/' || s.snapshot_id as report_url
from evaluation.snapshot s
join evaluation.stream st using (stream_id)
join evaluation.project p using (project_id)
where s.deleted_at is null;

create or replace view grafana.latest_snapshots as
select l.time, p.name as project, st.model, st.evaluation, st.segment, st.label as stream, st.tags as stream_tags,
       l.window_start, l.window_end, l.batch, l.computed_at, l.confirmed_at, l.revision, l.rows, l.reference_rows, l.labelled_rows,
       l.reference_kind, l.reference_start, l.reference_end, l.tags, l.status,
       array_position(array['success', 'warning', 'fail', 'error', 'skipped'], l.status) - 1 as status_code,
       l.tests_success, l.tests_warning, l.tests_fail, l.tests_error, l.tests_skipped,
       l.figures_failed, l.drifted_columns, l.tested_columns, l.drifted_columns::float8 / nullif(l.tested_columns, 0) as drifted_columns_ratio,
       l.exporter_version, l.metadata, l.stored_at, l.snapshot_id,
       l.reference_hash, extract(epoch from l.window_end - l.window_start)::float8 as interval_seconds,
       case jsonb_typeof(l.metadata -> 'wait_seconds') when 'number' then least((l.metadata ->> 'wait_seconds')::numeric, 1e9)::float8 end as wait_seconds,
       coalesce(nullif(p.exporter_url, ''), 'http://127.0.0.1:9877') || '/snapshots/' || l.snapshot_id as report_url
from evaluation.stream st join evaluation.project p using (project_id)
cross join lateral (select s.* from evaluation.snapshot s where s.stream_id = st.stream_id and s.deleted_at is null
                    order by s.time desc, s.computed_at desc limit 1) l;

-- A model with one set of stream tags, as it is now. It is late when one of its evaluations of whole batches is: no new
-- window for two intervals and the time that it waits (for rows, and quality for labels).
create view grafana.model_states as
select max(l.time) as time, l.project, l.model, l.stream, l.stream_tags,
       max(l.window_end) as window_end, max(l.computed_at) as computed_at,
       coalesce(max(l.status_code) filter (where l.status_code < 4), 4) as status_code,
       (array['success', 'warning', 'fail', 'error', 'skipped'])[coalesce(max(l.status_code) filter (where l.status_code < 4), 4) + 1] as status,
       sum(l.tests_success) as tests_success, sum(l.tests_warning) as tests_warning, sum(l.tests_fail) as tests_fail,
       sum(l.tests_error) as tests_error, sum(l.tests_skipped) as tests_skipped, sum(l.figures_failed) as figures_failed,
       sum(l.drifted_columns) filter (where l.segment = '') as drifted_columns,
       sum(l.tested_columns) filter (where l.segment = '') as tested_columns,
       (sum(l.drifted_columns) filter (where l.segment = ''))::float8
         / nullif(sum(l.tested_columns) filter (where l.segment = ''), 0) as drifted_columns_ratio,
       max(l.rows) filter (where l.segment = '') as rows,
       count(*) filter (where l.segment <> '' and l.status_code in (2, 3)) as failing_segments,
       min(l.interval_seconds) as interval_seconds,
       extract(epoch from now() - max(l.window_end))::float8 as age_seconds,
       coalesce(bool_or(extract(epoch from now() - l.window_end) > 2 * l.interval_seconds + coalesce(l.wait_seconds, 0))
                  filter (where l.segment = ''), false) as late,
       (array_agg(l.tags ->> 'version' order by l.time desc, l.computed_at desc) filter (where l.tags ? 'version'))[1] as version,
       (array_agg(l.report_url order by case when l.status_code < 4 then l.status_code else -1 end desc, l.time desc, l.computed_at desc))[1] as report_url
from grafana.latest_snapshots l
-- Silent for a month and for three intervals: retired, as on /metrics.
where greatest(l.window_end, l.computed_at) > now() - greatest(interval '30 days', 3 * (l.window_end - l.window_start))
group by l.project, l.model, l.stream, l.stream_tags;
comment on view grafana.model_states is 'One row a model and set of stream tags, as it is now: worst status, tests, drift, age, and whether it is late.';

-- A success ends a run of failures; what was skipped neither ends it nor counts: as on /metrics.
create view grafana.failing_tests as
select l.time, l.project, l.model, l.evaluation, l.segment, l.stream, l.stream_tags,
       se.name as test, se.metric, se.column_name, se.label, se.params,
       (array['success', 'warning', 'fail', 'error', 'skipped'])[t.status + 1] as status, t.status as status_code,
       t.critical, t.value, t.lower, t.upper, t.message, f.since, f.streak,
       l.window_end, l.batch, l.tags, l.report_url, l.snapshot_id
from grafana.latest_snapshots l
cross join lateral (select * from evaluation.test t where t.snapshot_id = l.snapshot_id and t.time = l.time and t.status in (1, 2, 3) offset 0) t
join evaluation.series se using (series_id)
cross join lateral (
  select count(distinct o.time) as streak, min(o.time) as since from evaluation.test o
  where o.series_id = t.series_id and o.status in (1, 2, 3) and o.time <= t.time
    and o.time > coalesce((select max(b.time) from evaluation.test b
                           where b.series_id = t.series_id and b.status = 0 and b.time < t.time), '-infinity')) f;
comment on view grafana.failing_tests is 'The tests that fail in the newest window of their stream: for how many windows in a row, and since when.';
