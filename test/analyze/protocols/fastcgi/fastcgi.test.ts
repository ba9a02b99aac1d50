import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { fastcgi } from '../../../../src/analyze/protocols/fastcgi/index.ts';
import { analyseFile } from '../../../support/analysis.ts';
import { brief, briefOfFile } from '../brief.ts';
import { conversations } from '../conversations.ts';
import { inventsNothing, likesNoNoise, sameHoweverCut, survivesMutations } from '../hardiness.ts';
import { play, type Step } from '../play.ts';
import { tsharkFields } from '../tshark-fields.ts';

/** nginx 1.22 in front of Go's net/http/fcgi. */
const REAL = fileURLToPath(new URL('../captures/fastcgi.pcap', import.meta.url));
const ALL = conversations(REAL);

function record(type: number, content: Buffer | string, id = 1): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.of(1, type, id >> 8, id & 255, bytes.length >> 8, bytes.length & 255, 0, 0), bytes]);
}

const pair = (name: string, value: string) =>
  Buffer.concat([Buffer.of(name.length, value.length), Buffer.from(name + value)]);

function asked(id = 1, path = '/cart/7', method = 'GET'): Buffer {
  const params = [pair('REQUEST_METHOD', method), pair('REQUEST_URI', path), pair('HTTP_COOKIE', 'sid=hunter2')];
  return Buffer.concat([
    record(1, Buffer.of(0, 1, 1, 0, 0, 0, 0, 0), id),
    record(4, Buffer.concat(params), id),
    record(4, '', id),
    record(5, '', id),
  ]);
}

function answered(head: string, id = 1, status = 0, error = ''): Buffer {
  const end = Buffer.of(0, 0, 0, 0, status, 0, 0, 0);
  return Buffer.concat([
    ...(error === '' ? [] : [record(7, error, id)]),
    ...(head === '' ? [] : [record(6, head, id)]),
    record(3, end, id),
  ]);
}

test('nginx and a program: what was asked, and how it went', async () => {
  expect(await briefOfFile(REAL)).toEqual([
    'GET /ok = 200',
    'GET /ok?token=*** = 200',
    'GET /fail = 500!',
    'GET /missing/77 = 404',
    'GET /close/x = 200',
    'GET /ok = 200',
    'POST /post = 200',
    'POST /post2 = 200',
  ]);
  const { events } = await analyseFile(REAL);
  expect(JSON.stringify(events)).not.toMatch(/hunter2|abcdef/);
  expect(events[3]?.event).toMatchObject({
    route: 'GET /missing/:id',
    fields: { fastcgi: { status: 404, script: '/srv/app.php' } },
  });
});

test('the requests that tshark sees', async () => {
  const as = ['-d', 'tcp.port==19000,fcgi'];
  const records = tsharkFields(REAL, 'fcgi', ['tcp.stream', 'fcgi.type'], as);
  const begun = records?.flatMap(([stream, types = '']) =>
    types
      .split(',')
      .filter((type) => type === '1')
      .map(() => stream),
  );
  const ours = (await analyseFile(REAL)).events.flatMap(({ event, flow }) =>
    event.kind === 'exchange' ? [String(flow)] : [],
  );
  expect(ours).toHaveLength(8);
  if (begun !== undefined) expect(ours).toEqual(begun);
});

test.each<[string, Step[], string[]]>([
  [
    'an error stream',
    [
      [0, asked()],
      [1, answered('Status: 503 Busy\r\n\r\nno', 1, 0, 'PHP Fatal error: password=hunter2\nmore')],
    ],
    ['GET /cart/7 = 503!'],
  ],
  [
    'no Status',
    [
      [0, asked()],
      [1, answered('Content-Type: a/b\r\n\r\nStatus: 500')],
    ],
    ['GET /cart/7 = 200'],
  ],
  [
    'overloaded',
    [
      [0, asked()],
      [1, answered('', 1, 2)],
    ],
    ['GET /cart/7 = OVERLOADED!'],
  ],
  [
    'two at a time',
    [
      [0, Buffer.concat([asked(1), asked(2, '/b')])],
      [1, answered('A: b\r\n\r\n', 2)],
      [1, answered('Status: 404 x\r\n\r\n')],
    ],
    ['GET /b = 200', 'GET /cart/7 = 404'],
  ],
  [
    'the answer breaks off',
    [
      [0, asked()],
      [1, record(6, 'Status: 200 OK\r\n\r\nabc')],
    ],
    ['GET /cart/7 = 200! [closed early]'],
  ],
  ['no answer', [[0, asked()]], ['GET /cart/7 = ! [no response]']],
])('%s', (_, steps, expected) => {
  expect(brief(sameHoweverCut(fastcgi, steps))).toEqual(expected);
  expect(brief(play(fastcgi, steps, { detail: false })).length).toBe(expected.length);
  expect(JSON.stringify(play(fastcgi, steps))).not.toContain('hunter2');
});

test('without detail the label is the route; the first line of the error stream is kept', () => {
  const steps: Step[] = [
    [0, asked(1, '/cart/7?token=abcdef123')],
    [1, answered('Status: 500 x\r\n\r\n', 1, 0, 'it broke\nhere')],
  ];
  expect(play(fastcgi, steps, { detail: false })[0]).toMatchObject({
    label: 'GET /cart/:id',
    fields: { fastcgi: { path: '/cart/7?token=***', error: 'it broke', status: 500, requestId: 1 } },
  });
});

test('any bytes: cut anywhere, changed, missing; from the middle of a connection', () => {
  for (const steps of ALL) sameHoweverCut(fastcgi, steps);
  survivesMutations(fastcgi, ALL, 400);
  likesNoNoise(fastcgi, 200_000);
  for (const steps of ALL) inventsNothing(fastcgi, steps, ({ label }) => label);
  const answer = answered('Status: 500 x\r\n\r\n');
  expect([asked(), answer].map((bytes) => fastcgi.probe(bytes, 0, bytes.length))).toEqual(['client', 'server']);
  expect(
    brief(
      play(
        fastcgi,
        [
          [1, answer],
          [0, asked()],
          [1, answer],
        ],
        { midstream: true },
      ),
    ),
  ).toContain('GET /cart/7 = 500!');
});
