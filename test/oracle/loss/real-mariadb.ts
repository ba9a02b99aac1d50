import { join } from 'node:path';
import { RIGHT_ADDRESS } from '../../agent/namespaces.ts';
import { numberIn } from './conversation.ts';
import type { RealProgram } from './real-program.ts';

/** A table that does not exist is named in the error. */
export const mariadb: RealProgram = {
  protocol: 'mysql',
  title: 'MariaDB and its client',
  packages: ['mariadb-server'],
  port: 3306,
  server: (directory) => [
    'mariadbd',
    ...['--no-defaults', '--user=root', '--skip-grant-tables', `--datadir=${directory}`],
    ...[`--bind-address=${RIGHT_ADDRESS}`, '--port=3306', '--skip-name-resolve'],
    ...[`--socket=${join(directory, 'socket')}`, `--pid-file=${join(directory, 'pid')}`],
  ],
  client: (count) => ({
    argv: ['sh', '-c', `mariadb --no-defaults --force -h ${RIGHT_ADDRESS} -u root 2>&1`],
    stdin: Array.from(
      { length: count },
      (_, index) => `SELECT * FROM shop.k${index} WHERE a = '${'x'.repeat((index * 37) % 4_000)}';\n`,
    ).join(''),
  }),
  answered: (stdout) => [...stdout.matchAll(/Table 'shop\.k(\d+)' doesn't exist/g)].map(([, number]) => Number(number)),
  fails: () => true,
  requestOf: (event) => numberIn(event.label, /\bshop\.k(\d+)\b/i),
  answerOf: (event) => numberIn(event.status, /\bk(\d+)\b/),
};
