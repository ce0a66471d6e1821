-- Of a test what tells its rows from the others', beside its names: a number, by which rows group faster than by eight texts.
-- Of a distribution whether it is of categories: known before its bins are unfolded.

create or replace view grafana.series as
select p.name as project, st.model, st.evaluation, st.segment, st.label as stream, st.tags as stream_tags,
       se.kind, se.name, nullif(se.metric, '') as metric, nullif(se.given_name, '') as given_name, se.column_name, se.label, se.params,
       se.series_id
from evaluation.series se
join evaluation.stream st using (stream_id)
join evaluation.project p using (project_id);

create or replace view grafana.tests as
select t.time, p.name as project, st.model, st.evaluation, st.segment, st.label as stream, st.tags as stream_tags,
       se.name as test, se.metric, se.column_name, se.label, se.params,
       (array['success', 'warning', 'fail', 'error', 'skipped'])[t.status + 1] as status, t.status as status_code,
       t.critical, t.value, t.lower, t.upper, t.message,
       (select s.window_end from evaluation.snapshot s where s.snapshot_id = t.snapshot_id) as window_end,
       (select s.batch from evaluation.snapshot s where s.snapshot_id = t.snapshot_id) as batch,
       (select s.tags from evaluation.snapshot s where s.snapshot_id = t.snapshot_id) as tags,
       t.snapshot_id,
       se.series_id
from evaluation.test t
join evaluation.series se on se.series_id = t.series_id and se.kind = 'test'
join evaluation.stream st using (stream_id)
join evaluation.project p using (project_id);

create or replace view grafana.distributions as
select d.time, p.name as project, st.model, st.evaluation, st.segment, st.label as stream, st.tags as stream_tags,
       se.column_name, b.bin, g.edges[b.bin - 1] as bin_from, g.edges[b.bin] as bin_to, g.categories[b.bin] as category,
       d.current[b.bin] as current, d.reference[b.bin] as reference,
       (select s.window_end from evaluation.snapshot s where s.snapshot_id = d.snapshot_id) as window_end,
       (select s.batch from evaluation.snapshot s where s.snapshot_id = d.snapshot_id) as batch,
       (select s.tags from evaluation.snapshot s where s.snapshot_id = d.snapshot_id) as tags,
       d.snapshot_id,
       g.categories is not null as categorical
from evaluation.distribution d
join evaluation.series se on se.series_id = d.series_id and se.kind = 'distribution'
join evaluation.stream st using (stream_id)
join evaluation.project p using (project_id)
join evaluation.grid g using (grid_id)
cross join lateral generate_series(1, cardinality(d.current)) b(bin);

create or replace view grafana.latest_tests as
select l.time, l.project, l.model, l.evaluation, l.segment, l.stream, l.stream_tags,
       se.name as test, se.metric, se.column_name, se.label, se.params,
       (array['success', 'warning', 'fail', 'error', 'skipped'])[t.status + 1] as status, t.status as status_code,
       t.critical, t.value, t.lower, t.upper, t.message,
       l.window_end, l.batch, l.tags, t.snapshot_id,
       se.series_id
from grafana.latest_snapshots l
cross join lateral (select * from evaluation.test t where t.snapshot_id = l.snapshot_id and t.time = l.time offset 0) t
join evaluation.series se using (series_id);
