/**
 * `npm run bench -- [NAME …] [--json]`: measures ksnoop and its peers side by side, prints a table. It judges nothing:
 * a goal that is missed is a line in the table, not a failure. For the JSON alone on stdout: `npm run --silent bench`.
 */
import { parseArgs } from 'node:util';
import { messageOf } from '../../src/wire/errors.ts';
import { BENCHES } from './index.ts';
import { type Figure, isMet, tableLines } from './support/figure.ts';

const { values, positionals } = parseArgs({
  args: process.argv.slice(2),
  options: { json: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const unknown = positionals.find((name) => !BENCHES.some((bench) => bench.name === name));
if (unknown !== undefined) {
  const known = BENCHES.map(({ name, about }) => `  ${name.padEnd(14)} ${about}`).join('\n');
  console.error(`There is no benchmark ${unknown}. There are:\n${known}`);
  process.exit(2);
}
// What a benchmark has made goes when the process exits, and a signal alone is no exit.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));
const figures: Figure[] = [];
for (const bench of BENCHES) {
  if (positionals.length > 0 && !positionals.includes(bench.name)) continue;
  console.error(`${bench.name}: ${bench.about} ...`);
  try {
    figures.push(...(await bench.run()));
  } catch (thrown) {
    // What the others measure is worth having; only the exit code tells that this one could not.
    console.error(`${bench.name} could not be measured: ${messageOf(thrown)}`);
    process.exitCode = 1;
  }
}
if (values.json) console.log(JSON.stringify(figures.map((one) => ({ ...one, met: isMet(one) }))));
else console.log(tableLines(figures).join('\n'));
