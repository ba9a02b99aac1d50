import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { pieceName, RecordingFiles } from '../../../src/agent/recording/recording-files.ts';
import { Recordings } from '../../../src/agent/recording/recordings.ts';
import { Volumes } from '../../../src/agent/recording/volumes.ts';
import { ownResources } from '../../../src/agent/session/resources.ts';
import { RECORDING_PIECES, type RecordingOrder, type RecordingPiece } from '../../../src/wire/recording.ts';

const CAPTURE = '00000000-0000-4000-8000-000000000001';
const MIB = 1024 * 1024;
const ORDER: RecordingOrder = {
  namespace: 'shop',
  name: 'night',
  pods: [],
  filter: '',
  snaplen: 65_535,
  endsAt: Date.now() + 3_600_000,
  maxBytes: 1024 * MIB,
  keepMs: 3_600_000,
};

let root: string;
let recordings: Recordings;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ksnoop-kept-'));
  const protect = <Result>(_owner: object, task: () => Result) => task();
  recordings = new Recordings({
    ...{
      root,
      bytes: 2048 * MIB,
      freeBytes: 0,
      resources: ownResources(),
      volumes: new Volumes(undefined),
      log: () => {},
      protect,
    },
    targetOf: ({ uid }) => ({ kind: 'netns', key: uid, name: 'none' }),
  });
});
afterEach(async () => {
  await recordings.remove(CAPTURE);
  rmSync(root, { recursive: true, force: true });
});

/** What an agent that ended has left of a recording that ran. */
async function restarted(order: RecordingOrder, files: number, kept: number) {
  const directory = new RecordingFiles(root, CAPTURE);
  directory.create();
  const piece = (number: number, isKept: boolean): RecordingPiece => {
    const name = pieceName(number, isKept);
    writeFileSync(directory.path(name), 'x');
    return { name, bytes: 1, sha256: '0'.repeat(64), packets: 1, first: '1', last: '1', kept: isKept };
  };
  const pieces = [
    ...Array.from({ length: files }, (_, index) => piece(index + 1, false)),
    ...Array.from({ length: kept }, (_, index) => piece(index + 1, true)),
  ];
  const { namespace, name, endsAt } = order;
  const state = {
    ...{ capture: CAPTURE, namespace, name, user: 'ann', state: 'recording', startedAt: Date.now(), endsAt },
    ...{ pods: [], packets: 1, bytes: 1, dropped: 0, triggers: kept, gaps: 0, pieces },
  };
  directory.writeState({ version: 1, order, state, nextPiece: files + 1, nextKept: kept + 1 });
  await recordings.load();
  return recordings.get(CAPTURE).state;
}

test('a recording whose trigger has kept as many files as it may goes on in its ring', async () => {
  const trigger = { where: 'http.status >= 500', beforeMs: 0, afterMs: 0 };
  const order = { ...ORDER, ring: { files: 2, fileBytes: MIB }, trigger };
  const state = await restarted(order, 1, RECORDING_PIECES - 2);
  expect([state.state, state.message]).toEqual(['recording', undefined]);
  expect(state.pieces).toHaveLength(RECORDING_PIECES - 1);
}, 60_000);

test('one without a ring that has as many files as it may ends, and keeps them', async () => {
  const state = await restarted(ORDER, RECORDING_PIECES - 1, 0);
  expect(state).toMatchObject({ state: 'failed', message: expect.stringMatching(/may have 1000: nothing more is/) });
  expect(state.pieces).toHaveLength(RECORDING_PIECES - 1);
}, 60_000);

test('why it ends does not take the place of what is wrong with its files', async () => {
  new RecordingFiles(root, CAPTURE).create();
  for (const number of [1, 2, 3]) {
    writeFileSync(new RecordingFiles(root, CAPTURE).path(pieceName(RECORDING_PIECES + number)), 'x');
  }
  const { message } = await restarted(ORDER, RECORDING_PIECES, 0);
  expect(message).toMatch(/nothing more is recorded.* 3 files \(01001.pcapng/);
}, 60_000);
