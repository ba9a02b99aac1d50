/**
 * Shows how a recorded altered connection or capture was altered, and what is stated of it:
 *   node test/analyze/altered/show.ts mysql 2.17
 *   node test/analyze/altered/show.ts http1 3
 * Run in two trees, it shows what a changed digest of test/golden/altered and altered-captures means.
 */
import { statedCaptures, wholeCaptures } from './captures.ts';
import { recorded, stateOf } from './recorded.ts';

const [name = '', variant = ''] = process.argv.slice(2);
const connections = recorded().get(name);
const capture = wholeCaptures().get(name);
if (connections === undefined && capture === undefined) {
  const names = [...recorded().keys(), ...wholeCaptures().keys()];
  throw new Error(`no capture ${name} is altered; there are ${names.join(', ')}`);
}
const all = [
  ...(connections === undefined ? [] : (await stateOf(connections)).variants),
  ...(capture === undefined ? [] : await statedCaptures(capture)),
];
const found = all.find((one) => one.name === variant);
if (found === undefined) throw new Error(`${name} has no alteration ${variant}`);
process.stdout.write(`${[...found.how, ...found.stated.map(({ line }) => line)].join('\n')}\n`);
