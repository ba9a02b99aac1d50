import { RIGHT_ADDRESS } from '../../agent/namespaces.ts';
import { numberIn } from './conversation.ts';
import type { RealProgram } from './real-program.ts';

/** A table that does not exist is named in the error. */
export const postgresql: RealProgram = {
  protocol: 'postgresql',
  title: 'PostgreSQL and psql',
  packages: ['postgresql'],
  port: 5432,
  // It refuses to run as root.
  server: (directory) => [
    'sh',
    '-c',
    `bin=$(dirname "$(ls /usr/lib/postgresql/*/bin/postgres | tail -n 1)") && chmod 755 "$1" && mkdir "$1/data" &&
     chown postgres "$1/data" && cd "$1/data" &&
     runuser -u postgres -- "$bin/initdb" -D "$1/data" -U postgres --auth=trust --no-sync &&
     echo 'host all all all trust' >> "$1/data/pg_hba.conf" &&
     exec runuser -u postgres -- "$bin/postgres" -D "$1/data" -c listen_addresses=${RIGHT_ADDRESS} \\
       -c unix_socket_directories= -c ssl=off -c fsync=off`,
    'sh',
    directory,
  ],
  client: (count) => ({
    argv: ['sh', '-c', `psql -X -q 'host=${RIGHT_ADDRESS} user=postgres dbname=postgres gssencmode=disable' 2>&1`],
    stdin: Array.from(
      { length: count },
      (_, index) => `SELECT * FROM k${index} WHERE a = '${'x'.repeat((index * 37) % 4_000)}';\n`,
    ).join(''),
  }),
  answered: (stdout) => [...stdout.matchAll(/relation "k(\d+)" does not exist/g)].map(([, number]) => Number(number)),
  fails: () => true,
  requestOf: (event) => numberIn(event.label, /\bFROM k(\d+)\b/i),
  answerOf: (event) => numberIn(event.status, /\bk(\d+)\b/),
};
