#!/bin/sh
# Makes mysql.pcap: Debian's MariaDB asked by mysql2 and by mariadb (packages mariadb-server, tcpdump; npm; as root).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
net=ks-mysql
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
inside mariadbd --no-defaults --user=mysql --datadir="$work/db" --bind-address=127.0.0.1 --skip-name-resolve --socket="$work/db/s" 2> /dev/null &
sleep 5
inside mariadb --no-defaults -h 127.0.0.1 -u root -e "CREATE DATABASE shop; CREATE USER shop@'%' IDENTIFIED BY 'hush'; GRANT ALL ON shop.* TO shop@'%'"
inside tcpdump -i lo -s 0 -Z root -U -w "$here/mysql.pcap" 'tcp port 3306' 2> /dev/null &
sleep 1
inside node "$here/talk-mysql.mjs" "$work"
inside mariadb --no-defaults --skip-ssl -h 127.0.0.1 -u shop -phush shop -e 'SELECT count(*) FROM stock; SHOW TABLES'
sleep 1
