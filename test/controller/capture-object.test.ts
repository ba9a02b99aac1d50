import { expect, test } from 'vitest';
import { captureView, keptOf } from '../../src/controller/capture-object.ts';
import { objectAt } from '../../src/wire/guard.ts';
import { madeCapture } from './made-capture.ts';

test('a Capture is read', () => {
  const created = Date.parse('2026-01-01T00:00:00Z');
  const view = captureView(madeCapture({ filter: 'port 80', limits: { duration: '1h30m' } }, { created }));
  expect(view).toMatchObject({
    namespace: 'shop',
    name: 'one',
    created,
    ends: created + 5_400_000,
    stopped: false,
    targets: [{ kind: 'svc', name: 'web' }],
    filter: 'port 80',
    snaplen: 262_144,
    hostNetwork: false,
    requester: { user: 'alice', groups: [], extra: {} },
    recording: undefined,
    fetch: undefined,
  });
});

// What the schema and the policy refuse already; the controller relies on neither.
test.each([
  ['BAD_TARGET', { targets: ['node/node1'] }],
  ['BAD_TARGET', { targets: ['ns/other'] }],
  ['BAD_TARGET', { targets: ['other/pod/web'] }],
  ['BAD_TARGET', { targets: ['pod/web,node/node1'] }],
  ['BAD_TARGET', { targets: ['widgets.example.com/web'] }],
  ['BAD_TARGET', { targets: [] }],
  ['BAD_TARGET', { targets: [7] }],
  ['BAD_TARGET', { targets: ['pod/\x1b]0;title\x07'] }],
  ['BAD_TARGET', { targets: ['pod/\x9b2J'] }],
  ['BAD_FILTER', { filter: 'port 80 \x9b2J' }],
  ['BAD_TARGET', { targets: Array.from({ length: 33 }, () => 'pod/web') }],
  ['BAD_FILTER', { filter: '-z /bin/sh' }],
  ['BAD_FILTER', { filter: 'port 80\nport 81' }],
  ['BAD_FILTER', { filter: 'a'.repeat(5000) }],
  ['INVALID_MESSAGE', { limits: { duration: '25h' } }],
  ['INVALID_MESSAGE', { limits: { duration: '0s' } }],
  ['INVALID_MESSAGE', { limits: { duration: '-1h' } }],
  ['INVALID_MESSAGE', { limits: { duration: '1d' } }],
  ['INVALID_MESSAGE', { limits: {} }],
  ['INVALID_MESSAGE', { requestedBy: '' }],
  ['INVALID_MESSAGE', { snaplen: 0 }],
  ['INVALID_MESSAGE', { snaplen: 1_000_000 }],
])('%s: %j', (code, spec) => {
  expect(() => captureView(madeCapture(spec))).toThrow(expect.objectContaining({ code }));
});

test('nothing is kept in memory that a tenant may make large, and all that is read', () => {
  const made = madeCapture({ filter: 'port 80' });
  const metadata = {
    ...objectAt(made, 'metadata'),
    annotations: { note: 'x'.repeat(200_000) },
    labels: { note: 'x' },
    managedFields: [{ manager: 'x' }],
    ownerReferences: [{ name: 'x' }],
  };
  const kept = keptOf({ ...made, metadata, status: { phase: 'Pending' }, data: 'x' });
  expect(JSON.stringify(kept).length).toBeLessThan(1_000);
  expect(captureView(kept)).toEqual(captureView({ ...made, metadata, status: { phase: 'Pending' } }));
  expect(objectAt(kept, 'metadata').resourceVersion).toBe('1');
});

test('a recording is read, with what it leaves out', () => {
  const storage = { destination: 'node' };
  const of = (spec: object) => captureView(madeCapture({ storage, clientKey: undefined, ...spec })).recording;
  expect(of({})).toEqual({ destination: 'node', maxBytes: 256 * 2 ** 20, ring: undefined, trigger: undefined });
  const ring = { files: 24, fileBytes: 50_000_000 };
  expect(of({ limits: { duration: '8h', ring } })).toMatchObject({ ring, maxBytes: 1_200_000_000 });
  const trigger = { where: 'http.status >= 500', before: '5s' };
  // What is kept has its place beside the ring.
  expect(of({ limits: { duration: '8h', ring }, trigger })).toMatchObject({
    maxBytes: 2_400_000_000,
    trigger: { where: 'http.status >= 500', beforeMs: 5_000, afterMs: 10_000 },
  });
  expect(of({ trigger })?.ring).toEqual({ files: 8, fileBytes: 16 * 2 ** 20 });
  expect(of({ limits: { duration: '8h', bytes: '2Gi' } })?.maxBytes).toBe(2 ** 31);
});

test.each([
  { storage: { destination: '../node' } },
  { storage: { destination: 'node' }, limits: { duration: '1h', bytes: '0' } },
  { storage: { destination: 'node' }, limits: { duration: '1h', bytes: '10x' } },
  { storage: { destination: 'node' }, limits: { duration: '1h', ring: { files: 1, fileBytes: 50_000_000 } } },
  { storage: { destination: 'node' }, limits: { duration: '1h', bytes: '2M', ring: { files: 9, fileBytes: 2 ** 20 } } },
  { storage: { destination: 'node' }, trigger: { where: '' } },
  { storage: { destination: 'node' }, trigger: { where: 'failed', after: '11m' } },
  { storage: { destination: 'node' }, fetch: { key: '', by: 'alice' } },
])('a recording that cannot be is refused: %j', (spec) => {
  expect(() => captureView(madeCapture(spec))).toThrow();
});
