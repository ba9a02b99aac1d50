import { expect, test } from 'vitest';
import { closeStdinFrame, parseExecStatus, stdinFrame } from '../../src/wire/exec-channel.ts';

test('stdin is a copy of the bytes behind its channel number', () => {
  const bytes = Buffer.from('xxhelloxx').subarray(2, 7);
  const frame = stdinFrame(bytes);
  bytes.fill(0);
  expect(Buffer.from(frame)).toEqual(Buffer.from('\0hello'));
  expect([...stdinFrame(new Uint8Array(0))]).toEqual([0]);
  expect([...closeStdinFrame()]).toEqual([255, 0]);
});

/** What a kubelet sends for a command that ended with `code` (k8s.io/kubelet, remotecommand/exec.go). */
const exited = (code: unknown) => ({
  metadata: {},
  status: 'Failure',
  reason: 'NonZeroExitCode',
  message: `command terminated with non-zero exit code: exit status ${String(code)}`,
  details: { causes: [{ reason: 'ExitCode', message: code }] },
});

test.each([
  [
    { metadata: {}, status: 'Success' },
    { kind: 'exited', code: 0 },
  ],
  [exited('1'), { kind: 'exited', code: 1 }],
  [exited('137'), { kind: 'exited', code: 137 }],
  // No code can be read: that it failed is certain.
  [exited(''), { kind: 'failed', reason: 'NonZeroExitCode' }],
  [exited('x'), { kind: 'failed', reason: 'NonZeroExitCode' }],
  [exited(null), { kind: 'failed', reason: 'NonZeroExitCode' }],
  [
    {
      status: 'Failure',
      reason: 'InternalError',
      message: 'no such container',
      details: { causes: [{ message: '1' }] },
    },
    { kind: 'failed', reason: 'InternalError', message: 'no such container' },
  ],
  [{}, { kind: 'failed', reason: '', message: 'the server gave no reason' }],
  [[], { kind: 'failed', reason: '', message: '[]' }],
])('status %j', (status, expected) => {
  expect(parseExecStatus(JSON.stringify(status))).toMatchObject(expected);
});

test('a status that is no JSON is a failure in the server’s words', () => {
  expect(parseExecStatus(' container not running\n')).toMatchObject({
    kind: 'failed',
    message: 'container not running',
  });
  expect(parseExecStatus('')).toMatchObject({ kind: 'failed', message: 'the server sent an empty status' });
});
