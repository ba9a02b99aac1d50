import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { http1 } from '../../../src/analyze/protocols/http1/index.ts';
import { webSocket } from '../../../src/analyze/protocols/websocket.ts';
import type { AnalysisEvent } from '../../../src/analyze/record/event.ts';
import { analyseFile } from '../../support/analysis.ts';
import { Random } from '../../support/random.ts';
import { conversations } from './conversations.ts';
import { sameHoweverCut } from './hardiness.ts';
import { play, type Step } from './play.ts';

/** Made by captures/make-websocket.sh: the package ws. */
const CAPTURE = join(import.meta.dirname, 'captures/websocket.pcap');
const [plain = [], compressed = []] = conversations(CAPTURE);

const brief = (events: readonly AnalysisEvent[]) =>
  events.map((event) => (event.kind === 'message' ? `${event.from} ${event.label} ${event.bytes}` : event.label));

test('messages both ways after the upgrade, in fragments or not, and the close', () => {
  expect(brief(sameHoweverCut(http1, plain))).toEqual([
    'GET /feed?token=***',
    '0 text hello 5',
    '0 binary 300',
    '0 text abc 3',
    '0 binary 20000',
    '1 text you said hello 14',
    '1 binary 300',
    '1 text you said abc 12',
    '1 binary 20000',
    'closing 4000 enough of it',
    'closing 4000 enough of it',
  ]);
});

test('a client that does not mask is read, a server that does is not', () => {
  const upgraded = plain.slice(0, 2);
  const bare = Buffer.from('8102686a', 'hex');
  const masked = Buffer.from('818201020304696a', 'hex');
  const said = (side: 0 | 1, frame: Buffer) => brief(play(http1, [...upgraded, [side, frame] as Step])).slice(1);
  expect(said(0, bare)).toEqual(['0 text hj 2']);
  expect(said(0, masked)).toEqual(['0 text hh 2']);
  expect(said(1, bare)).toEqual(['1 text hj 2']);
  expect(said(1, masked)).toEqual([
    expect.stringMatching(/^WebSocket not understood at byte 129 from the server: no frame/),
  ]);
});

test('compressed messages are counted', () => {
  const said = sameHoweverCut(http1, compressed).filter(({ kind }) => kind === 'message');
  expect(said).toHaveLength(8);
  expect(said.every(({ fields }) => (fields.websocket as { compressed?: boolean }).compressed === true)).toBe(true);
});

test.skipIf(spawnSync('tshark', ['--version']).error !== undefined)(
  'as many frames that begin a message as tshark sees',
  () => {
    const rows = execFileSync(
      'tshark',
      ['-n', '-r', CAPTURE, '-Y', 'websocket', '-T', 'fields', '-e', 'websocket.opcode'],
      {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    );
    const opcodes = rows.split(/[\n,]/).filter(Boolean);
    const events = [plain, compressed].flatMap((steps) => play(http1, steps));
    const said = (opcode: string) =>
      events.filter(({ fields }) => (fields.websocket as { opcode?: string } | undefined)?.opcode === opcode).length;
    expect([said('text'), said('binary'), said('close')]).toEqual(
      ['1', '2', '8'].map((code) => opcodes.filter((one) => one === code).length),
    );
  },
);

test('a gap in a payload costs the rest of its text', () => {
  const frame = (payload: string) => Uint8Array.from([0x81, payload.length, ...Buffer.from(payload)]);
  const within: Step[] = [
    [1, frame('hello').subarray(0, 4)],
    [1, { gap: 3 }],
    [1, frame('bye')],
  ];
  expect(brief(play(webSocket, within))).toEqual(['1 text he… 5', '1 text bye 3']);
});

test('behind a hole frames are read again from a segment that begins with one', () => {
  const server = (payload: string) => Uint8Array.from([0x81, payload.length, ...Buffer.from(payload)]);
  const client = (text: string) => Uint8Array.from([0x81, 0x80 | text.length, 0, 0, 0, 0, ...Buffer.from(text)]);
  const lost =
    'WebSocket not understood at byte 7 from the server: bytes were not captured; resumes at the next frame that begins a segment';
  const after = (...segments: readonly Uint8Array[]): Step[] => [
    [1, server('hello')],
    [1, { gap: 3 }],
    ...segments.map((segment): Step => [1, segment]),
  ];
  const said = (steps: Step[]) => brief(play(webSocket, steps)).slice(1);
  expect(said(after(server('bye'), server('now')))).toEqual([lost, '1 text bye 3', '1 text now 3']);
  // Two frames in a segment, a frame over two segments.
  const two = Uint8Array.from([...server('one'), ...server('two')]);
  expect(said(after(two.subarray(0, 8), two.subarray(8)))).toEqual([lost, '1 text one 3', '1 text two 3']);
  const long = Uint8Array.from([0x82, 126, 1, 0, ...Buffer.alloc(256)]);
  expect(said(after(long.subarray(0, 100), long.subarray(100)))).toEqual([lost, '1 binary 256']);
  // What only looks like a frame at first is none; nor is the middle of one.
  expect(said(after(Uint8Array.from([0x81, 2, 0x61, 0x62, 0xff, 0xff]), server('bye')))).toEqual([
    lost,
    '1 text bye 3',
  ]);
  expect(said(after(Buffer.from('plain text'), server('bye')))).toEqual([lost, '1 text bye 3']);
  expect(said(after(Uint8Array.from([0x82, 126, 0, 5, 1, 2, 3, 4, 5]), server('bye')))).toEqual([lost, '1 text bye 3']);
  const masked: Step[] = [
    [0, client('a')],
    [0, { gap: 9 }],
    [0, server('no')],
    [0, client('b')],
  ];
  expect(brief(play(webSocket, masked)).filter((line) => line.startsWith('0'))).toEqual(['0 text a 1', '0 text b 1']);
});

test('websocket-gap.pcap: what begins a segment behind the hole is read', async () => {
  const { events } = await analyseFile(join(import.meta.dirname, 'captures/websocket-gap.pcap'));
  const texts = events.map(({ event }) => event).filter(({ kind }) => kind === 'message');
  expect(brief(texts).map((line) => line.split(' ')[2])).toEqual(['hello0', 'hello2', 'hello3', 'hello4']);
  expect(events.filter(({ event }) => event.kind === 'event' && event.code === 'PROTOCOL_LOST')).toHaveLength(1);
});

test('an error is one, and no bytes are too odd', () => {
  const [closing] = play(webSocket, [[1, Uint8Array.from([0x88, 2, 0x03, 0xea])]]);
  expect(closing).toMatchObject({ code: 'WEBSOCKET_CLOSE', failed: true, label: 'closing 1002' });
  const random = new Random(9);
  for (let round = 0; round < 2000; round += 1) {
    const bytes = Uint8Array.from({ length: random.below(80) }, () => random.below(256));
    expect(play(webSocket, [[random.below(2) === 0 ? 0 : 1, bytes]]).length).toBeLessThan(40);
  }
});
