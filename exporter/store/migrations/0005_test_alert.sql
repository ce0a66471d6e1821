-- A test alert, sent on request through the whole chain: until when it fires.
create table evaluation.test_alert(
  only_one boolean primary key default true check (only_one),
  until    timestamptz not null);
create view grafana.test_alert as
select now() as time, until from evaluation.test_alert where until > now();
comment on view grafana.test_alert is 'One row while a test alert fires, asked for by `exporter alerts --test`.';
