#!/usr/bin/node
// Runs exactly N statements with the database's own client, one in three of which fails, and reports what came of them:
//   sql --kind postgres --host postgres --n 30 --run ID
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    kind: { type: 'string', default: 'postgres' },
    host: { type: 'string' },
    n: { type: 'string', default: '30' },
    run: { type: 'string', default: 'none' },
  },
});
const total = Number(values.n);
const host = values.host ?? values.kind;
const statements = Array.from({ length: total }, (_, number) => {
  const what = [
    `SELECT ${number}`,
    `SELECT * FROM missing_${number}`,
    `SELECT count(*) FROM stock WHERE price > ${number}`,
  ];
  return `${what[number % 3]} /* ${values.run} */`;
});
const text = `${statements.join(';\n')};\n`;

// Debian's `psql` is a Perl script that looks for the version.
const PSQL = '/usr/lib/postgresql/15/bin/psql';

// psql says `ERROR:  42P01`, mariadb `ERROR 1146 (42S02) at line 2: …`.
const [command, args, errors] =
  values.kind === 'postgres'
    ? [PSQL, ['-h', host, '-U', 'shop', '-q', '-v', 'VERBOSITY=sqlstate', 'shop'], /^(?:psql:[^ ]+ )?ERROR: +(\w{5})/gm]
    : [
        'mariadb',
        ['--no-defaults', '-h', host, '-u', 'shop', '-phush', '--force', '--comments', 'shop'],
        /^ERROR (\d+) /gm,
      ];
const { stderr, error } = spawnSync(command, args, {
  input: text,
  encoding: 'utf8',
  env: { ...process.env, PGPASSWORD: 'hush', PGSSLMODE: 'disable' },
});
if (error) throw error;
const report = { run: values.run, sent: total, answered: total, errors: {} };
for (const [, code] of stderr.matchAll(errors)) report.errors[code] = (report.errors[code] ?? 0) + 1;
const failed = Object.values(report.errors).reduce((sum, count) => sum + count, 0);
if (stderr !== '' && failed === 0) throw new Error(stderr);
console.log(JSON.stringify(report));
