import { expect, test } from 'vitest';
import { Http2Stream } from '../../../../src/analyze/protocols/http2/stream.ts';

test.each([
  [5e6, 3e6],
  [1e6, undefined],
])('a call that began at 2 ms and was reset at %i ns', (resetTime, resetAfter) => {
  const stream = new Http2Stream(true, false);
  stream.request.seen({ now: 2e6, timeKnown: true }, 10);
  for (const [name, value] of [
    [':method', 'POST'],
    ['content-type', 'application/grpc'],
    ['grpc-timeout', '10m'],
  ] as const)
    stream.request.field(name, value);
  stream.request.begun = true;
  stream.reset = 'CANCEL';
  stream.resetTime = resetTime;
  const { fields } = stream.exchange({ detail: true, labels: true, showSecrets: false }, 'reset', 0);
  expect(fields.grpc).toMatchObject({ timeout: 10e6, resetAfter });
});
