-- Whom a failing test wakes, and after how many failures: null where it says nothing of its own.
alter table evaluation.test add column alert jsonb;

-- Persistence is counted in windows, never in minutes; what was skipped neither counts nor is looked past. Of several
-- snapshots of one window a failure counts once. Read when asked, so that a backdated or revised window counts at once.
create view grafana.alerting_tests as
select l.time, l.project, l.model, l.evaluation, l.segment, l.stream, l.stream_tags,
       se.name as test, se.metric, se.column_name, se.label, se.params,
       (array['success', 'warning', 'fail', 'error', 'skipped'])[t.status + 1] as status, t.status as status_code,
       t.critical, t.value, t.lower, t.upper, t.message,
       a.severity, a.failures as failures_wanted, a.windows as windows_wanted, f.failures,
       l.window_end, l.batch, l.tags, l.report_url, l.snapshot_id
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
where a.severity <> 'none' and f.failures >= a.failures;
comment on view grafana.alerting_tests is 'The tests that somebody is to be told of now: failed in as many of their last windows as they say.';
