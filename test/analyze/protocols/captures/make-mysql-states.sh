#!/bin/sh
# Makes mysql-states.pcap: Debian's MariaDB used by mysql2, mariadb and mariadb-binlog (packages mariadb-server, tcpdump; npm; as root):
# compression, files sent by the client, changes of user, the replication stream, several results.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
net=ks-mysql-states
work=$(mktemp -d)
chmod 755 "$work"
ip netns add $net
finish() {
  ip netns pids $net | xargs -r kill 2> /dev/null || true
  sleep 3
  ip netns del $net
  rm -rf "$work"
}
trap finish EXIT
inside() { ip netns exec $net "$@"; }
(cd "$work" && npm install --silent --no-audit --no-fund mysql2@3 > /dev/null)
mkdir "$work/db" && chown mysql "$work/db"
inside ip link set lo up
mariadb-install-db --no-defaults --user=mysql --datadir="$work/db" --auth-root-authentication-method=normal > /dev/null
inside mariadbd --no-defaults --user=mysql --datadir="$work/db" --bind-address=127.0.0.1 --skip-name-resolve --socket="$work/db/s" --local-infile=1 --log-bin="$work/db/log" --server-id=1 2> /dev/null &
sleep 5
inside mariadb --no-defaults -h 127.0.0.1 -u root -e "CREATE DATABASE shop; CREATE TABLE shop.stock (id INT PRIMARY KEY, name VARCHAR(200)); CREATE USER shop@'%' IDENTIFIED BY 'hush'; GRANT ALL ON *.* TO shop@'%'; CREATE USER other@'%' IDENTIFIED BY 'hush'; GRANT ALL ON shop.* TO other@'%'"
inside tcpdump -i lo -s 0 -Z root -U -w "$here/mysql-states.pcap" 'tcp port 3306' 2> /dev/null &
sleep 2
inside node "$here/talk-mysql-states.mjs" "$work"
inside mariadb --no-defaults --skip-ssl --compress -h 127.0.0.1 -u shop -phush shop -e 'SELECT id, name FROM stock; SELECT nope; SELECT 3' || true
seq 100 300 | sed 's/$/\tplum/' > "$work/file"
inside mariadb --no-defaults --skip-ssl --local-infile=1 -h 127.0.0.1 -u shop -phush shop -e "LOAD DATA LOCAL INFILE '$work/file' INTO TABLE stock; SELECT 4"
inside mariadb --no-defaults --skip-ssl --compress --local-infile=1 -h 127.0.0.1 -u shop -phush shop -e "DELETE FROM stock WHERE id > 100; LOAD DATA LOCAL INFILE '$work/file' IGNORE INTO TABLE stock; SELECT 5"
inside mariadb-binlog --no-defaults --skip-ssl --read-from-remote-server -h 127.0.0.1 -u shop -phush log.000001 > /dev/null 2>&1 || true
sleep 2
