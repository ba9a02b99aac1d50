import { expect, it } from 'vitest';
import { checkArgument, chosenOutput } from '../../src/cli/output-argument.ts';
import { completeRead } from '../../src/cli/read/options.ts';
import { checkPage, checkReport } from '../../src/cli/report-option.ts';
import { typedCommand } from '../../src/cli/typed-command.ts';

const USAGE = expect.objectContaining({ code: 'USAGE' });
const FILE = { stdin: false, stdout: false };

it.each([
  [{ report: '' }, 'text'],
  [{ report: '-' }, 'text'],
  [{ report: 'a.html', write: 'a.html' }, 'text'],
  [{ report: 'a.html' }, 'html'],
])('--report refuses %o with -o %s', (options, output) => {
  expect(() => checkReport(options, output)).toThrow(USAGE);
});

it('a page is not printed on a terminal', () => {
  expect(() => checkPage('html', true)).toThrow(USAGE);
  for (const [name, terminal] of [
    ['html', false],
    ['text', true],
  ] as const) {
    expect(() => checkPage(name, terminal)).not.toThrow();
  }
  expect(() => completeRead(['a.pcap'], { output: 'html' }, { stdin: false, stdout: true })).toThrow(USAGE);
});

it('a report stands beside what is read, and not beside a capture that is written', () => {
  const { make } = completeRead(['a.pcap'], { report: 'a.html' }, FILE);
  expect(make).toMatchObject({ kind: 'lines', output: { name: 'text' } });
  expect(() => completeRead(['a.pcap'], { report: 'a.html', write: 'b.pcap' }, FILE)).toThrow(USAGE);
});

it('what stands behind the name of an output is its argument', () => {
  expect(chosenOutput('map', undefined)).toEqual({ name: 'map', argument: undefined });
  expect(chosenOutput('map', 'dot')).toEqual({ name: 'map', argument: 'dot' });
  expect(chosenOutput('jsonpath={.a}=x', undefined)).toEqual({ name: 'jsonpath', argument: '{.a}=x' });
  expect(() => chosenOutput('map=dot', 'dot')).toThrow(USAGE);
  for (const [output, refused] of [
    ['map', 'png'],
    ['map', ''],
    ['text', 'dot'],
    ['jsonpath', undefined],
  ] as const) {
    const text = refused === undefined ? output : `${output}=${refused}`;
    expect(() => completeRead(['a.pcap'], { output: text }, FILE)).toThrow(USAGE);
  }
  expect(() => checkArgument({ name: 'text' }, undefined)).not.toThrow();
});

it('the command is quoted as a shell takes it', () => {
  expect(typedCommand(['read', 'a b.pcap', '--where', 'x == "y"'], false)).toBe(
    `ksnoop read 'a b.pcap' --where 'x == "y"'`,
  );
});
