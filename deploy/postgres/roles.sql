-- A database for Evaluation Exporter with its three roles. Run once, by a superuser; running it again changes nothing.
--
--   psql -v owner_password=... -v writer_password=... -v reader_password=... -f roles.sql postgres
--
-- or with the passwords in the environment (EVALUATION_OWNER_PASSWORD, EVALUATION_WRITER_PASSWORD,
-- EVALUATION_READER_PASSWORD), as the official Docker image runs it from /docker-entrypoint-initdb.d.
-- A role without a password given keeps the one it has. -v database=name chooses another name.
--
-- Then:  exporter db migrate   with the owner's URL, and again after each upgrade
--        exporter run, serve   with the writer's URL
--        Grafana's data source with the role grafana: it reads the views of schema grafana, and nothing else
\set ON_ERROR_STOP on
\if :{?database} \else
  \set database evaluation
\endif
\if :{?owner_password} \else
  \getenv owner_password EVALUATION_OWNER_PASSWORD
\endif
\if :{?writer_password} \else
  \getenv writer_password EVALUATION_WRITER_PASSWORD
\endif
\if :{?reader_password} \else
  \getenv reader_password EVALUATION_READER_PASSWORD
\endif

select format('create role %I login', name)
from unnest(array['evaluation_owner', 'evaluation_writer', 'grafana']) name
where not exists (select from pg_roles where rolname = name) \gexec

\if :{?owner_password}
  alter role evaluation_owner login password :'owner_password';
\endif
\if :{?writer_password}
  alter role evaluation_writer login password :'writer_password';
\endif
\if :{?reader_password}
  alter role grafana login password :'reader_password';
\endif

select format('create database %I owner evaluation_owner', :'database')
where not exists (select from pg_database where datname = :'database') \gexec

-- Only our roles connect; temporary tables are for those who run and migrate.
revoke all on database :"database" from public;
grant connect on database :"database" to evaluation_writer, grafana;
grant connect, create, temporary on database :"database" to evaluation_owner;

\connect :"database"
-- Large objects are open to everybody by default: a reader could fill the disk.
select format('revoke execute on function %s from public', oid::regprocedure) from pg_proc
where pronamespace = 'pg_catalog'::regnamespace
  and proname in ('lo_creat', 'lo_create', 'lo_from_bytea', 'lo_put', 'lo_truncate', 'lo_truncate64', 'lo_unlink', 'lowrite')
\gexec

-- A convenience, not protection: whoever may query may change these for the session. Grants protect.
alter role grafana in database :"database" set default_transaction_read_only = on;
alter role grafana in database :"database" set statement_timeout = '30s';
alter role grafana in database :"database" set jit = off;
