#!/bin/sh
# Makes postgresql.pcap: Debian's PostgreSQL 15 asked by psql and pgbench (packages postgresql, postgresql-client, tcpdump; as root).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
bin=/usr/lib/postgresql/15/bin
net=ks-postgresql
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
as() { inside setpriv --reuid postgres --regid postgres --clear-groups env HOME="$data" PGPASSWORD=hush PGSSLMODE=disable "$@"; }
inside ip link set lo up
printf hush > "$data/password"
as $bin/initdb -D "$data/db" -U shop --pwfile "$data/password" --auth scram-sha-256 > /dev/null
as $bin/pg_ctl -D "$data/db" -w -o "-h 127.0.0.1 -k $data" start > /dev/null
as $bin/pgbench -h 127.0.0.1 -U shop -i -s 1 -q postgres 2> /dev/null
inside tcpdump -i lo -w "$here/postgresql.pcap" -U 'tcp port 5432' 2> /dev/null &
sleep 1
as $bin/psql -h 127.0.0.1 -U shop postgres -c 'SELECT 1' -c 'SELECT * FROM nothing' -c 'SELECT count(*) FROM pgbench_accounts' > /dev/null 2>&1 || true
as $bin/psql -h 127.0.0.1 -U shop postgres -c "ALTER ROLE shop PASSWORD 'hush'" > /dev/null
as env PGPASSWORD=wrong $bin/psql -h 127.0.0.1 -U shop postgres -c 'SELECT 1' > /dev/null 2>&1 || true
as $bin/pgbench -h 127.0.0.1 -U shop -M prepared -n -t 3 postgres > /dev/null 2>&1
as $bin/pgbench -h 127.0.0.1 -U shop -M extended -n -S -t 3 postgres > /dev/null 2>&1
as $bin/psql -h 127.0.0.1 -U shop postgres -c "COPY pgbench_tellers TO STDOUT" > /dev/null
sleep 1
as $bin/pg_ctl -D "$data/db" -m fast stop > /dev/null
