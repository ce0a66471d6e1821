-- What a project's config evaluates, told by each run: whatever never had a batch is in no other table, and nobody would
-- miss it. What is taken out of the config goes with the next run.
create table evaluation.expected(
  project_id int not null references evaluation.project,
  model      text not null check (octet_length(model) between 1 and 500),
  evaluation text not null check (octet_length(evaluation) between 1 and 500),
  interval_seconds float8 not null,                 -- of its windows
  wait_seconds     float8 not null,                 -- how long rows and labels are waited for
  since      timestamptz not null default now(),    -- when it was told first
  primary key (project_id, model, evaluation));

create view grafana.never_evaluated as
select e.since as time, p.name as project, e.model, e.evaluation, e.interval_seconds, e.wait_seconds,
       e.since + make_interval(secs => 2 * e.interval_seconds + e.wait_seconds) as due
from evaluation.expected e join evaluation.project p using (project_id)
where not exists (select from evaluation.stream st
                  where st.project_id = e.project_id and st.model = e.model and st.evaluation = e.evaluation);
comment on view grafana.never_evaluated is 'Evaluations of a config of which there never was a batch, and by when there should have been one.';
