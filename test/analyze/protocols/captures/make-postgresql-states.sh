#!/bin/sh
# Makes postgresql-states.pcap: Debian's PostgreSQL 15 used by psql, pgbench and pg_receivewal (packages postgresql, tcpdump; as root):
# Of the replication stream only the beginning of each packet is kept. COPY, pipelines, empty queries, replication, backends that are ended, statements that are cancelled.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
bin=/usr/lib/postgresql/15/bin
net=ks-postgresql-states
data=$(mktemp -d)
chown postgres "$data"
ip netns add $net
finish() {
  ip netns pids $net | xargs -r kill 2> /dev/null || true
  sleep 1
  ip netns del $net
  rm -rf "$data"
}
trap finish EXIT
inside() { ip netns exec $net "$@"; }
as() { inside setpriv --reuid postgres --regid postgres --clear-groups env HOME="$data" PGSSLMODE=disable PGGSSENCMODE=disable "$@"; }
sql() { as $bin/psql -h 127.0.0.1 -U shop postgres "$@" > /dev/null 2>&1 || true; }
inside ip link set lo up
as $bin/initdb -D "$data/db" -U shop --auth trust > /dev/null
as $bin/pg_ctl -D "$data/db" -w -o "-h 127.0.0.1 -k $data -c wal_level=replica" start > /dev/null
sql -c 'CREATE TABLE stock (id int PRIMARY KEY, name text)'
inside tcpdump -i lo -s 1000 -w "$here/postgresql-states.pcap" -U 'tcp port 5432' 2> /dev/null &
sleep 2
# shellcheck disable=SC2016
printf '%s\n' '\copy stock from stdin' '1	apple' '2	pear' '\.' 'SELECT 1;' '\copy stock from stdin' '1	again' '\.' 'SELECT 2;' '\copy stock to stdout' ';' 'SELECT 3;' | sql
printf '%s\n' '\startpipeline' 'SELECT 10;' 'SELECT 11;' '\endpipeline' 'SELECT 12;' '\startpipeline' 'SELECT 13;' 'SELECT 14;' '\endpipeline' > "$data/pipeline.sql"
as $bin/pgbench -h 127.0.0.1 -U shop -M extended -n -t 2 -f "$data/pipeline.sql" postgres > /dev/null 2>&1
printf '%s\n' '\startpipeline' 'SELECT 20;' 'SELECT 1/0;' 'SELECT 21;' '\endpipeline' > "$data/failing.sql"
as $bin/pgbench -h 127.0.0.1 -U shop -M extended -n -t 1 -f "$data/failing.sql" postgres > /dev/null 2>&1 || true
as timeout 3 $bin/pg_receivewal -h 127.0.0.1 -U shop -D "$data" --no-sync > /dev/null 2>&1 || true
sql -c "SET statement_timeout = 200" -c 'SELECT pg_sleep(1)' -c 'SELECT 4'
printf '%s\n' 'SELECT 5;' '\! sleep 2' 'SELECT 6;' | sql &
sleep 2
sql -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
sleep 2
as $bin/pg_ctl -D "$data/db" -m fast stop > /dev/null
sleep 2
