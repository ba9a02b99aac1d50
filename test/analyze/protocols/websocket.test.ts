import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { http1 } from '../../../src/analyze/protocols/http1/index.ts';
import { webSocket } from '../../../src/analyze/protocols/websocket.ts';
import type { AnalysisEvent } from '../../../src/analyze/record/event.ts';
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
  expect(said(1, masked)).toEqual([]);
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

test('a gap in a payload costs its text, one in a header the direction', () => {
  const frame = (payload: string) => Uint8Array.from([0x81, payload.length, ...Buffer.from(payload)]);
  const within: Step[] = [
    [1, frame('hello').subarray(0, 4)],
    [1, { gap: 3 }],
    [1, frame('bye')],
  ];
  expect(brief(play(webSocket, within))).toEqual(['1 text he 5', '1 text bye 3']);
  const between: Step[] = [
    [1, { gap: 3 }],
    [1, frame('bye')],
    [0, Uint8Array.from([0x81, 0x81, 1, 2, 3, 4, 0x60])],
  ];
  expect(brief(play(webSocket, between))).toEqual(['0 text a 1']);
});

test('an error is one, and no octets are too odd', () => {
  const [closing] = play(webSocket, [[1, Uint8Array.from([0x88, 2, 0x03, 0xea])]]);
  expect(closing).toMatchObject({ code: 'WEBSOCKET_CLOSE', failed: true, label: 'closing 1002' });
  const random = new Random(9);
  for (let round = 0; round < 2000; round += 1) {
    const octets = Uint8Array.from({ length: random.below(80) }, () => random.below(256));
    expect(play(webSocket, [[random.below(2) === 0 ? 0 : 1, octets]]).length).toBeLessThan(40);
  }
});
