import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  parseRecordingPath,
  type RecordingOrder,
  type RecordingState,
  recordingPath,
} from '../../src/wire/recording.ts';
import { parseRecordingOrder, parseRecordingStop, parseRecordingUpload } from '../../src/wire/recording-order.ts';
import { parseRecordingList, parseRecordingState } from '../../src/wire/recording-state.ts';

const refused = expect.objectContaining({ code: 'INVALID_MESSAGE' });
const MIB = 1024 * 1024;
const capture = randomUUID();

const order: RecordingOrder = {
  namespace: 'shop',
  name: 'errors',
  pods: [{ namespace: 'shop', name: 'web-1', uid: randomUUID(), hostNetwork: false }],
  filter: '',
  snaplen: 262_144,
  endsAt: 1_800_000_000_000,
  maxBytes: 100 * MIB,
  ring: { files: 4, fileBytes: 10 * MIB },
  trigger: { where: 'http.status >= 500', beforeMs: 30_000, afterMs: 10_000 },
  keepMs: 3_600_000,
};

const state: RecordingState = {
  capture,
  namespace: 'shop',
  name: 'errors',
  user: 'alice',
  state: 'finished',
  reason: 'duration',
  message: 'x',
  startedAt: 1,
  endsAt: 3,
  endedAt: 2,
  pods: [{ uid: randomUUID(), capturing: false, message: 'gone' }],
  packets: 1,
  bytes: 2,
  dropped: 0,
  triggers: 1,
  triggerProblem: 'y',
  gaps: 1,
  pieces: [
    { name: '00001.pcapng', bytes: 1, sha256: 'a'.repeat(64), packets: 0, first: null, last: null, kept: false },
    {
      name: 'kept-00001.pcapng',
      bytes: 1,
      sha256: 'a'.repeat(64),
      packets: 2,
      first: '1800000000000000001',
      last: '1800000000000000002',
      kept: true,
      upload: { state: 'done', etag: '"1"' },
    },
  ],
  removedAt: 4,
};

describe('paths', () => {
  test('each path is read as it was written', () => {
    for (const path of [
      { kind: 'list' },
      { kind: 'recording', capture },
      { kind: 'stop', capture },
      { kind: 'piece', capture, piece: '00001.pcapng' },
      { kind: 'upload', capture, piece: 'kept-00001.pcapng' },
    ] as const) {
      expect(parseRecordingPath(recordingPath(path))).toEqual(path);
    }
  });

  test.each([
    '/recordings/',
    '/recordings/..',
    `/recordings/${capture}/`,
    `/recordings/${capture.toUpperCase()}x`,
    `/recordings/${capture}/pieces/../state.json`,
    `/recordings/${capture}/pieces/state.json`,
    `/recordings/${capture}/pieces/%2e%2e`,
    `/recordings/${capture}/pieces/00001.pcapng/upload/`,
    `/recordings/${capture}/pieces/00001.pcapng?x`,
    `/recordings/${capture}/start`,
    `//recordings/${capture}`,
  ])('%s is none', (path) => {
    expect(parseRecordingPath(path)).toBeUndefined();
  });
});

describe('parseRecordingOrder', () => {
  test('an order is read as it was written', () => {
    expect(parseRecordingOrder(JSON.stringify(order))).toEqual(order);
    const { ring, trigger, ...plain } = order;
    expect(parseRecordingOrder(JSON.stringify({ ...plain, tickets: ['abc'] }))).toEqual({ ...plain, tickets: ['abc'] });
  });

  const [pod] = order.pods;
  test.each<[string, Record<string, unknown>]>([
    ['a pod twice', { pods: [pod, pod] }],
    ['a pod without a UID', { pods: [{ ...pod, uid: 'web' }] }],
    ['too many pods', { pods: Array.from({ length: 257 }, () => ({ ...pod, uid: randomUUID() })) }],
    ['a ring of more bytes than the recording', { maxBytes: 39 * MIB }],
    ['a trigger without a ring', { ring: undefined }],
    ['a trigger without an expression', { trigger: { where: '', beforeMs: 0, afterMs: 0 } }],
    ['a trigger of hours', { trigger: { where: 'true', beforeMs: 0, afterMs: 3_600_001 } }],
    ['a ring of one file', { ring: { files: 1, fileBytes: 10 * MIB } }],
    ['pieces of a few bytes', { ring: { files: 4, fileBytes: 10 } }],
    ['a name with a slash', { name: '../x' }],
    ['a filter that is too long', { filter: 'x'.repeat(5_000) }],
    ['many tickets', { tickets: new Array(7).fill('x') }],
  ])('%s is refused', (_, changes) => {
    expect(() => parseRecordingOrder(JSON.stringify({ ...order, ...changes }))).toThrow(refused);
  });
});

describe('parseRecordingUpload', () => {
  const upload = { url: 'https://s3.example/b/k?X-Amz-Signature=1', headers: { 'x-amz-checksum-sha256': 'abc=' } };

  test('an upload is read as it was written', () => {
    expect(parseRecordingUpload(JSON.stringify(upload))).toEqual(upload);
  });

  test.each<[string, Record<string, unknown>]>([
    ['a file', { url: 'file:///etc/passwd' }],
    ['a user', { url: 'https://a:b@s3.example/' }],
    ['no URL', { url: 's3.example' }],
    ['another header', { headers: { host: 'x' } }],
    ['a header of two lines', { headers: { 'x-amz-a': 'a\r\nhost: b' } }],
    ['many headers', { headers: Object.fromEntries(Array.from({ length: 17 }, (_, at) => [`x-amz-${at}`, 'a'])) }],
  ])('%s is refused', (_, changes) => {
    expect(() => parseRecordingUpload(JSON.stringify({ ...upload, ...changes }))).toThrow(refused);
  });
});

test('a copy names a volume and a directory, and nothing that leads out of them', () => {
  const copy = { volume: 'shared', directory: 'node1-aaaaaaaa' };
  expect(parseRecordingUpload(JSON.stringify(copy))).toEqual(copy);
  for (const changes of [
    { volume: '..' },
    { volume: 'a/b' },
    { directory: '..' },
    { directory: 'a/b' },
    { directory: '' },
  ]) {
    expect(() => parseRecordingUpload(JSON.stringify({ ...copy, ...changes }))).toThrow(refused);
  }
});

test('parseRecordingStop takes the reasons that the controller has', () => {
  expect(parseRecordingStop('{"reason":"withdrawn"}')).toEqual({ reason: 'withdrawn' });
  expect(() => parseRecordingStop('{"reason":"duration"}')).toThrow(refused);
});

describe('parseRecordingState', () => {
  test('a state is read as it was written', () => {
    expect(parseRecordingState(JSON.stringify(state))).toEqual(state);
  });

  const [piece] = state.pieces;
  test.each<[string, Record<string, unknown>]>([
    ['another state', { state: 'paused' }],
    ['a piece with a path', { pieces: [{ ...piece, name: '../00001.pcapng' }] }],
    ['a piece without a digest', { pieces: [{ ...piece, sha256: 'x' }] }],
    ['a negative count', { packets: -1 }],
    ['a time that is no number', { pieces: [{ ...piece, first: '-1' }] }],
    ['no number of triggers', { triggers: null }],
  ])('%s is refused', (_, changes) => {
    expect(() => parseRecordingState(JSON.stringify({ ...state, ...changes }))).toThrow(refused);
  });

  test('the list has what lists need', () => {
    const listed = { capture, namespace: 'shop', name: 'errors', state: 'finished', endsAt: 3 };
    expect(parseRecordingList(JSON.stringify({ recordings: [state] }))).toEqual([listed]);
    expect(() => parseRecordingList('{}')).toThrow(refused);
  });
});
