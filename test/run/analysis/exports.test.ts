import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { analysisOutput } from '../../../src/run/analysis/index.ts';
import { analysed as analysedBytes } from '../../support/analysis-session.ts';

const CAPTURES = join(import.meta.dirname, 'captures');

async function linesOf(file: string, name: string, argument?: string): Promise<string[]> {
  return (await analysed(file, name, argument)).lines;
}

async function analysed(file: string, name: string, argument?: string) {
  const kind = await analysisOutput(name)?.load();
  if (kind === undefined) throw new Error(`there is no output ${name}`);
  const { lines, session } = analysedBytes(kind, readFileSync(join(CAPTURES, file)), {
    argument,
    json: argument === 'json',
  });
  return { lines, session };
}

it('the map and the callers of the summary are the same', async () => {
  const [map] = await linesOf('wrong-service.pcapng', 'map', 'json');
  const [summary] = await linesOf('wrong-service.pcapng', 'summary', 'json');
  const { calls, nodes } = JSON.parse(map ?? '');
  expect(calls).toEqual(JSON.parse(summary ?? '').callers);
  expect(calls).toHaveLength(2);
  expect(nodes.toSorted()).toEqual(['api.shop', 'shop/client', 'web.shop']);
});

it('a CSV table has the rows of the summary', async () => {
  const [head, ...rows] = await linesOf('wrong-service.pcapng', 'csv', 'routes');
  const [summary] = await linesOf('wrong-service.pcapng', 'summary', 'json');
  const { routes } = JSON.parse(summary ?? '');
  const columns = head?.split(',') ?? [];
  expect(rows).toHaveLength(routes.length);
  const first = rows[0]?.split(',') ?? [];
  for (const column of ['service', 'route', 'count', 'failed']) {
    expect(first[columns.indexOf(column)]).toBe(String(routes[0][column]));
  }
  expect(first[columns.indexOf('latency.p99')]).toBe(String(routes[0].latency.p99));
});

it('an HTTP Archive is one JSON document with an entry for each exchange, also without any', async () => {
  const { log } = JSON.parse((await linesOf('wrong-service.pcapng', 'har')).join('\n'));
  expect(log).toMatchObject({ version: '1.2', creator: { name: 'ksnoop' } });
  expect(log.entries).toHaveLength(66);
  expect(JSON.parse((await linesOf('syn-unanswered.pcapng', 'har')).join('\n')).log.entries).toEqual([]);
});

it('there is a curl command for each request', async () => {
  const lines = await linesOf('wrong-service.pcapng', 'curl');
  expect(lines).toHaveLength(66);
  expect(lines[0]).toMatch(/^curl .* 'http:\/\/web\/unavailable\?run=none&n=1'$/);
});

it('says how many exchanges it left out because their requests were not seen', async () => {
  const { session } = await analysed('loss-response-http1-fast.pcap', 'curl');
  const lines = await linesOf('loss-response-http1-fast.pcap', 'curl');
  const [json] = [await linesOf('loss-response-http1-fast.pcap', 'json')];
  const exchanges = json.map((line) => JSON.parse(line)).filter(({ kind, http }) => kind === 'exchange' && http);
  const without = exchanges.filter(({ http }) => http.method === undefined);
  expect(lines).toHaveLength(exchanges.length - without.length);
  expect(session.outputNotes).toHaveLength(without.length === 0 ? 0 : 1);
});

it('templates make a line of each record of -o json', async () => {
  const records = (await linesOf('wrong-service.pcapng', 'json')).map((line) => JSON.parse(line));
  const events = records.filter(({ kind }) => kind === 'exchange' || kind === 'event' || kind === 'message');
  const expected = events.map(({ src, http }) => `${src.pod} ${http.path}`);
  expect(await linesOf('wrong-service.pcapng', 'jsonpath', '{.src.pod} {.http.path}{"\\n"}')).toEqual(expected);
  expect(await linesOf('wrong-service.pcapng', 'template', '{{.src.pod}} {{.http.path}}')).toEqual(expected);
  const [head, ...lines] = await linesOf('wrong-service.pcapng', 'custom-columns', 'POD:.src.pod,PATH:.http.path');
  expect(head).toMatch(/^POD +PATH$/);
  const paths = expected.map((row) => row.slice(row.indexOf(' ') + 1));
  expect(lines.map((line, index) => line.lastIndexOf(paths[index] ?? ''))).toEqual(
    lines.map(() => head?.indexOf('PATH')),
  );
  expect(lines.map((line) => line.split(/\s+/).join(' '))).toEqual(expected);
  await expect(linesOf('wrong-service.pcapng', 'template', '{{range .a}}')).rejects.toMatchObject({ code: 'USAGE' });
});
