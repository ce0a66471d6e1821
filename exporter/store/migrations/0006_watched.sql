-- Every test of a newest window that fails, and those that tell somebody although they pass now (two of three failed):
-- whom it is for, whether it tells, and if not, what is missing.
create view grafana.watched_tests as
select l.time, l.project, l.model, l.evaluation, l.segment, l.stream, l.stream_tags,
       se.name as test, se.metric, se.column_name, se.label, se.params,
       (array['success', 'warning', 'fail', 'error', 'skipped'])[t.status + 1] as status, t.status as status_code,
       t.critical, t.value, t.lower, t.upper, t.message,
       a.severity, a.failures as failures_wanted, a.windows as windows_wanted, f.failures,
       l.window_end, l.batch, l.tags, l.report_url, l.snapshot_id, l.computed_at,
       a.severity <> 'none' and f.failures >= a.failures as alerting,
       -- scalar subqueries: who does not ask for them does not pay for them
       (select min(o.time) from evaluation.test o
        where o.series_id = t.series_id and o.status in (1, 2, 3) and o.time <= t.time
          and o.time > coalesce((select max(b.time) from evaluation.test b
                                 where b.series_id = t.series_id and b.status = 0 and b.time < t.time), '-infinity')) as since,
       case when t.status = 0 then 0 else
         (select count(distinct o.time) from evaluation.test o
          where o.series_id = t.series_id and o.status in (1, 2, 3) and o.time <= t.time
            and o.time > coalesce((select max(b.time) from evaluation.test b
                                   where b.series_id = t.series_id and b.status = 0 and b.time < t.time), '-infinity')) end as streak
from grafana.latest_snapshots l
cross join lateral (select * from evaluation.test t where t.snapshot_id = l.snapshot_id and t.time = l.time and t.status <> 4
                    and (t.status in (1, 2, 3) or t.alert is not null) offset 0) t
cross join lateral (
  select coalesce(t.alert ->> 'severity', case when t.critical then 'page' else 'warning' end) as severity,
         coalesce((t.alert ->> 'failures')::int, 1) as failures, coalesce((t.alert ->> 'windows')::int, 1) as windows) a
join evaluation.series se using (series_id)
cross join lateral (
  select count(*) filter (where w.failed) as failures
  from (select bool_or(o.status in (1, 2, 3)) as failed from evaluation.test o
        where o.series_id = t.series_id and o.status <> 4 and o.time <= t.time
        group by o.time order by o.time desc limit a.windows) w) f
where t.status in (1, 2, 3) or (a.severity <> 'none' and f.failures >= a.failures);
comment on view grafana.watched_tests is 'The tests that fail now, and those that somebody is to be told of: whether, whom, since when, or what is missing.';

-- Its columns as they were, and when the snapshot was computed: a stream that fell silent long ago tells nobody.
create or replace view grafana.alerting_tests as
select time, project, model, evaluation, segment, stream, stream_tags,
       test, metric, column_name, label, params, status, status_code, critical, value, lower, upper, message,
       severity, failures_wanted, windows_wanted, failures, window_end, batch, tags, report_url, snapshot_id, computed_at
from grafana.watched_tests where alerting;
