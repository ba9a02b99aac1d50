import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { analysisOutput } from '../../../src/run/analysis/index.ts';
import { whereExpression } from '../../../src/run/where.ts';
import { isObject, parseJson } from '../../../src/wire/guard.ts';
import { analysed as analysedBytes } from '../../support/analysis-session.ts';

const PROTOCOLS = join(import.meta.dirname, '../../analyze/protocols');
const WRONG_SERVICE = join(import.meta.dirname, 'captures/wrong-service.pcapng');

async function analysed(path: string, name: string, argument?: string, json = false) {
  const kind = await analysisOutput(name)?.load();
  if (kind === undefined) throw new Error(`there is no output ${name}`);
  const { lines, session } = analysedBytes(kind, readFileSync(path), { argument, json, utc: true });
  return { lines, notes: session.outputNotes };
}

/** What tshark follows: both sides' bytes as hex, by the addresses of both sides. */
function followedByTshark(path: string, streams: number): Map<string, readonly [string, string]> {
  const argv = Array.from({ length: streams }, (_, stream) => ['-z', `follow,tcp,raw,${stream}`]).flat();
  const { stdout } = spawnSync('tshark', ['-n', '-q', '-r', path, ...argv], { encoding: 'utf8', maxBuffer: 1 << 26 });
  const found = new Map<string, readonly [string, string]>();
  for (const section of stdout.split('Follow: tcp,raw').slice(1)) {
    const [, a = ''] = /Node 0: (.*)/.exec(section) ?? [];
    const [, b = ''] = /Node 1: (.*)/.exec(section) ?? [];
    const lines = section.split('\n').filter((line) => /^\t?[0-9a-f]+$/.test(line));
    const from = lines.filter((line) => !line.startsWith('\t')).join('');
    const to = lines
      .filter((line) => line.startsWith('\t'))
      .join('')
      .replaceAll('\t', '');
    found.set(`${a} ${b}`, [from, to]);
    found.set(`${b} ${a}`, [to, from]);
  }
  return found;
}

describe.skipIf(spawnSync('tshark', ['--version']).error !== undefined)('the bytes of a flow', () => {
  it.each([
    ['mysql', join(PROTOCOLS, 'captures/mysql.pcap')],
    ['kafka', join(PROTOCOLS, 'captures/kafka.pcap')],
    ['wrong-service', WRONG_SERVICE],
  ])('are those that tshark follows: %s', async (_name, path) => {
    const { lines } = await analysed(path, 'flows', undefined, true);
    const flows = lines.map((line) => parseJson(line, 'flow')).filter(isObject);
    const followed = followedByTshark(path, 4);
    let compared = 0;
    for (const flow of flows) {
      const end = (side: 'src' | 'dst') => (isObject(flow[side]) ? `${flow[side].ip}:${flow[side].port}` : '');
      const expected = followed.get(`${end('src')} ${end('dst')}`);
      if (expected === undefined || flow.transport === 'udp') continue;
      const { lines: raw } = await analysed(path, 'stream', `${flow.flow},raw`);
      const server = raw.filter((line) => line.startsWith('\t')).map((line) => line.slice(1));
      expect([raw.filter((line) => !line.startsWith('\t')).join(''), server.join('')]).toEqual(expected);
      compared += 1;
    }
    expect(compared).toBeGreaterThan(0);
  });
});

test('an exchange of HTTP is shown with heads and bodies, and the flow closes it', async () => {
  const { lines, notes } = await analysed(WRONG_SERVICE, 'json');
  const record = lines.map((line) => parseJson(line, 'record')).find((each) => isObject(each) && isObject(each.http));
  if (!isObject(record)) throw new Error('no HTTP');
  expect(notes).toEqual([]);
  const { lines: shown, notes: closing } = await analysed(WRONG_SERVICE, 'stream', String(record.flow));
  expect(shown.filter((line) => /^> GET .* HTTP\/1.0$/.test(line)).length).toBeGreaterThan(0);
  expect(shown.filter((line) => /^< \d{3} [A-Z]/.test(line)).length).toBeGreaterThan(0);
  expect(shown.some((line) => /^> host: /.test(line))).toBe(true);
  expect(closing).toEqual([expect.stringMatching(new RegExp(` flow ${String(record.flow)}$`))]);
});

test('hex has rows of position, bytes and ASCII, those of the server to the right', async () => {
  const { lines: records } = await analysed(WRONG_SERVICE, 'json');
  const record = records.map((line) => parseJson(line, 'record')).find((each) => isObject(each) && isObject(each.http));
  const { lines } = await analysed(WRONG_SERVICE, 'stream', `${isObject(record) ? record.flow : ''},hex`);
  expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d\.\d{6} client, \d+ bytes$/);
  expect(lines[1]).toMatch(/^00000000 {2}47 45 54 20 .* \|GET .*\|$/);
  expect(lines.some((line) => /^ {4}00000000 {2}48 54 54 50 .* \|HTTP/.test(line))).toBe(true);
});

test('with --where, a flow of which nothing matches is not said to be none', async () => {
  const kind = await analysisOutput('stream')?.load();
  const where = (await whereExpression('protocol == "none"'))?.condition;
  if (kind === undefined) throw new Error('there is no output stream');
  const { session } = analysedBytes(kind, readFileSync(WRONG_SERVICE), { argument: '3', utc: true, where });
  expect(session.outputNotes).toEqual(['Nothing of flow 3 matches --where; without --where the whole flow is shown.']);
});

test('a number that no flow has is reported with those there are', async () => {
  const { lines, notes } = await analysed(WRONG_SERVICE, 'stream', '99999');
  expect(lines).toEqual([]);
  expect(notes).toEqual([expect.stringMatching(/^There is no flow 99999: flows are numbered from 0 to \d+ /)]);
  await expect(analysed(WRONG_SERVICE, 'stream', 'web')).rejects.toMatchObject({ code: 'USAGE' });
});

it.each([undefined, 'hex', 'raw'])('a flow that is not there is named with the highest that is (%s)', async (form) => {
  const path = join(PROTOCOLS, 'captures/websocket.pcap');
  const { lines, notes } = await analysed(path, 'stream', form === undefined ? '9999' : `9999,${form}`);
  expect(lines).toEqual([]);
  const { lines: flows } = await analysed(path, 'flows', undefined, true);
  const highest = Math.max(...flows.map((line) => Number((JSON.parse(line) as { flow: number }).flow)));
  expect(notes.join()).toContain(String(highest));
});
