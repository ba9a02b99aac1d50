import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { http1 } from '../../../../src/analyze/protocols/http1/index.ts';
import { Bodies } from '../../../../src/analyze/protocols/http1/message-body.ts';
import { http2 } from '../../../../src/analyze/protocols/http2/index.ts';
import type { AnalysisEvent } from '../../../../src/analyze/record/event.ts';
import { analyseFile } from '../../../support/analysis.ts';
import { Random } from '../../../support/random.ts';
import { conversations } from '../conversations.ts';
import { likesNoNoise, sameHoweverCut } from '../hardiness.ts';
import { play, type Step } from '../play.ts';

/** Made by captures/make-http2.sh: Node's HTTP/2 and @grpc/grpc-js. */
const CAPTURE = join(import.meta.dirname, '../captures/http2.pcap');

const [web = [], calls = []] = conversations(CAPTURE);
const brief = (events: readonly AnalysisEvent[]) =>
  events.map((event) =>
    event.kind === 'exchange' ? `${event.label} = ${event.status} ${event.incomplete ?? ''}`.trim() : event.label,
  );

test('streams of a connection are exchanges', async () => {
  const { events } = await analyseFile(CAPTURE);
  const said = events.map(({ event }) => event).filter(({ protocol }) => protocol === 'http');
  expect(brief(said).sort()).toEqual(
    [
      'GET / = 200',
      'GET / = 200',
      'GET / = 200',
      'GET /missing = 404',
      'GET /large = 200',
      'GET /broken = 500',
      'GET /early = 200',
      'GET /trailers = 200',
      'POST /upload = 200',
      'GET /reset = RST INTERNAL_ERROR reset',
    ].sort(),
  );
  const of = (label: string) => said.find((event) => event.label === label);
  expect(of('GET /early')?.fields.http).toMatchObject({ interim: [103], version: '2', status: 200 });
  expect(of('GET /large')).toMatchObject({
    failed: false,
    responseBytes: expect.toSatisfy((bytes: number) => bytes > 20_000),
  });
  expect(of('GET /broken')).toMatchObject({ failed: true });
  expect(of('GET /trailers')?.fields.http).toMatchObject({ responseHeaders: { 'x-check': 'whole' } });
  // As it is written, too.
  expect(JSON.stringify(of('GET /trailers')?.fields.http)).toContain('"x-check":"whole"');
  expect(JSON.stringify(said)).not.toContain('hush');
});

test('the text of an error is the beginning of its body; bodies are there where they are wanted', async () => {
  const steps = web;
  const of = (events: readonly AnalysisEvent[], label: string) =>
    events.find((event) => event.label === label)?.fields.http;
  expect(of(play(http2, steps), 'GET /broken')).toMatchObject({ error: 'ok' });
  expect(of(play(http2, steps), 'GET /large')).not.toHaveProperty('responseBody');
  const events = play(http2, steps, { bodies: true });
  expect(of(events, 'GET /broken')).toMatchObject({ responseBody: 'ok' });
  expect(of(events, 'POST /upload')).toMatchObject({ requestBody: expect.stringMatching(/./) });
});

test('gRPC calls: messages counted, statuses and words from the trailers', async () => {
  const { events } = await analyseFile(CAPTURE);
  const said = events.map(({ event }) => event).filter(({ protocol }) => protocol === 'grpc');
  expect(said.map(({ label, fields }) => [label, fields.grpc])).toEqual([
    [
      'shop.Cart/Add',
      {
        service: 'shop.Cart',
        method: 'Add',
        status: 'OK',
        message: 'OK',
        requests: 1,
        responses: 1,
        type: 'unary',
      },
    ],
    ['shop.Cart/Add', expect.objectContaining({ status: 'NOT_FOUND', message: 'no such item: 100 %', responses: 0 })],
    ['shop.Cart/List', expect.objectContaining({ status: 'OK', requests: 1, responses: 5, type: 'streaming' })],
    ['shop.Cart/Chat', expect.objectContaining({ status: 'OK', requests: 3, responses: 3, type: 'streaming' })],
    ['shop.Cart/Slow', expect.objectContaining({ status: undefined, requests: 1, responses: 0 })],
  ]);
  expect(said.map((event) => event.kind === 'exchange' && event.failed)).toEqual([false, true, false, false, true]);
});

describe.skipIf(spawnSync('tshark', ['--version']).error !== undefined)('against tshark', () => {
  test('the same paths are asked, and the same statuses answered', async () => {
    const ports = ['-d', 'tcp.port==8080,http2', '-d', 'tcp.port==50051,http2'];
    const fields = [
      '-T',
      'fields',
      '-E',
      'occurrence=a',
      '-E',
      'aggregator=;',
      '-e',
      'http2.headers.path',
      '-e',
      'http2.headers.status',
    ];
    const rows = execFileSync('tshark', ['-n', '-r', CAPTURE, ...ports, ...fields], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
      .split('\n')
      .map((row) => row.split('\t'));
    const column = (index: number) =>
      rows
        .flatMap((row) => (row[index] ?? '').split(';'))
        .filter(Boolean)
        .sort();
    const { events } = await analyseFile(CAPTURE);
    const http = events.map(({ event }) => event.fields.http as Readonly<Record<string, unknown>>);
    expect(http.map(({ path }) => String(path)).sort()).toEqual(column(0));
    const statuses = http.flatMap(({ status, interim }) => [...(Array.isArray(interim) ? interim : []), status]);
    // The answer that came to a call its client had cancelled is no exchange's.
    statuses.push(200);
    expect(
      statuses
        .filter((status) => status !== undefined)
        .map(String)
        .sort(),
    ).toEqual(column(1));
  });
});

test('cut anywhere the same is said', () => {
  sameHoweverCut(http2, web, 4);
  sameHoweverCut(http2, calls, 4);
});

test('a gap costs what it held: the connection goes on behind it', () => {
  const large = web.findIndex(([side, what]) => side === 1 && what instanceof Uint8Array && what.length > 10_000);
  expect(large).toBeGreaterThan(0);
  const holed = web.flatMap(([side, what], index): Step[] =>
    index !== large || !(what instanceof Uint8Array)
      ? [[side, what]]
      : [
          [side, what.subarray(0, 5000)],
          [side, { gap: 100 }],
          [side, what.subarray(5100)],
        ],
  );
  const said = play(http2, holed);
  expect(
    said.filter((event) => event.kind === 'exchange' && event.incomplete === 'response not captured'),
  ).toHaveLength(1);
  expect(said).toHaveLength(10);
  // Whatever is missing of the server, each request is told, and the answers behind it are known.
  for (let missing = 0; missing < web.length; missing += 1) {
    const [side, what] = web[missing] as Step;
    if (side === 0 || !(what instanceof Uint8Array)) continue;
    const lost = play(http2, [...web.slice(0, missing), [side, { gap: what.length }], ...web.slice(missing + 1)]);
    expect(lost.filter(({ kind }) => kind === 'exchange')).toHaveLength(10);
    const answered = lost.filter((event) => event.kind === 'exchange' && /^(?:\d|RST)/.test(event.status));
    expect(answered.length).toBeGreaterThanOrEqual(4);
  }
});

test('requests that are read after their answers, behind what was not captured, find one another', () => {
  const first = web.findIndex(([side, what]) => side === 0 && what instanceof Uint8Array && what[3] === 1);
  const begin = web.slice(0, first);
  const rest = web.slice(first);
  // The client's bytes come late: so it is while the hole before them may close yet.
  const late: Step[] = [
    ...begin,
    ...rest.filter(([side]) => side === 1),
    [0, { gap: 20 }],
    ...rest.filter(([side]) => side === 0),
  ];
  const said = play(http2, late).filter((event) => event.kind === 'exchange');
  expect(said).toHaveLength(10);
  expect(said.filter(({ label, status }) => /^(?:GET|POST|\\?) /.test(label) && status !== '').length).toBeGreaterThan(
    7,
  );
});

test('a connection that began before the capture is taken up at its next request', () => {
  const unary = calls.findIndex(([side, what]) => side === 0 && what instanceof Uint8Array && what[3] === 1);
  expect(unary).toBeGreaterThan(0);
  const [, first] = calls[unary] as Step;
  const bytes = first as Uint8Array;
  expect(http2.probe(bytes, 0, bytes.length)).toBe('client');
  const answer = calls
    .slice(unary)
    .find(([side, what]) => side === 1 && (what as Uint8Array)[3] === 1)?.[1] as Uint8Array;
  expect(http2.probe(answer, 0, answer.length)).toBe('server');
  const whole = play(http2, calls).filter(({ kind }) => kind === 'exchange');
  const later = play(http2, calls.slice(unary)).filter(({ kind }) => kind === 'exchange');
  expect(later).toHaveLength(whole.length - 1);
  expect(later.every((event) => event.kind === 'exchange' && event.status !== '')).toBe(true);
});

test('a request that upgrades from HTTP/1.1 is answered on stream 1', async () => {
  const { events } = await analyseFile(join(import.meta.dirname, 'captures/http2-h2c-upgrade.pcap'));
  expect(brief(events.map(({ event }) => event))).toEqual(['GET /x = 500', 'GET /y = 404']);
  expect(events[0]?.event).toMatchObject({ responseTime: expect.any(Number), fields: { http: { version: '2' } } });
});

test('a request that upgrades from HTTP/1.1 has its body, and gives the bytes of it back', () => {
  const bodies = new Bodies(false, 300);
  const head = 'POST /x HTTP/1.1\r\nUpgrade: h2c\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\n';
  const events = play(
    http1,
    [
      [0, `${head}sent`],
      [1, 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n'],
    ],
    { bodies },
  );
  expect(events).toMatchObject([
    { label: 'POST /x', fields: { http: { version: '2', requestBody: 'sent', requestBodyNote: undefined } } },
  ]);
  expect(bodies.take(300)).toBe(300);
});

test('changed bytes and noise: no exception, nothing taken for it', () => {
  likesNoNoise(http2, 200_000);
  for (let seed = 1; seed <= 100; seed += 1) {
    const random = new Random(seed);
    const changed = web.map(([side, what]): Step => {
      if (!(what instanceof Uint8Array) || random.below(3) > 0) return [side, what];
      const copy = Uint8Array.from(what);
      copy[random.below(Math.min(60, copy.length))] = random.below(256);
      return random.below(8) === 0 ? [side, { gap: what.length }] : [side, copy];
    });
    expect(play(http2, changed).length).toBeLessThan(200);
  }
});
