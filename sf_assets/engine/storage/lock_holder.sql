-- The process of a PostgreSQL server that holds the advisory lock of the warehouse.
select activity.pid || ' of the server (' || activity.application_name || ')'
from pg_locks as locks join pg_stat_activity as activity using (pid)
where locks.locktype = 'advisory' and locks.granted and locks.database = (
    select oid from pg_database where datname = current_database()
) and (locks.classid::bigint << 32) + locks.objid::bigint = {lock}
