import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, expect, test } from 'vitest';
import { EdgeOutput } from '../../../src/agent/session/edge-output.ts';
import { json } from '../../../src/run/analysis/json.ts';
import type { KsnoopError } from '../../../src/wire/errors.ts';
import { agentStream, shownOf } from '../../edge/agent-stream.ts';

const CAPTURE = join(import.meta.dirname, '../../analyze/flow/captures/both-ends-of-a-service.pcapng');
const REQUEST = {
  detail: true,
  labels: false,
  firstLegs: false,
  firstLegsOnly: false,
  traced: false,
  counts: false,
  showSecrets: false,
};

const opened: EdgeOutput[] = [];
afterEach(() => {
  for (const output of opened.splice(0)) output.close();
});

/** An analysis by a worker; `takes` is called for what the client's stream is given, and says when it has taken that. */
function edge(takes: (bytes: Buffer, taken: () => void) => void) {
  const failed = Promise.withResolvers<KsnoopError>();
  const stdout = new Writable({ write: (bytes: Buffer, _encoding, done) => takes(bytes, done) });
  const output = new EdgeOutput({ request: REQUEST, stdout, waiting: () => 0, failed: failed.resolve });
  output.on('error', () => {});
  opened.push(output);
  const write = (bytes: Uint8Array) =>
    new Promise<Error | undefined>((resolve) => {
      output.write(Buffer.from(bytes), (error) => resolve(error ?? undefined));
    });
  return { output, write, failed: failed.promise };
}

test('a session goes through a worker, and the client shows what it would show of the packets', {
  timeout: 60_000,
}, async () => {
  const stream = agentStream(readFileSync(CAPTURE));
  const written: Buffer[] = [];
  const { write } = edge((bytes, taken) => {
    written.push(Buffer.from(bytes));
    taken();
  });
  for (let at = 0; at < stream.length; at += 100_000) {
    expect(await write(stream.subarray(at, at + 100_000))).toBeUndefined();
  }
  const found = Buffer.concat(written);
  expect(found.length).toBeLessThan(stream.length / 4);
  expect(shownOf(json, [found])).toEqual(shownOf(json, [stream]));
});

test('a damaged stream ends its session with an error, and no other one', { timeout: 60_000 }, async () => {
  const one = edge((_bytes, taken) => taken());
  const other = edge((_bytes, taken) => taken());
  const write = one.write(Buffer.alloc(1_000, 7));
  expect(await one.failed).toMatchObject({ code: 'EDGE_FAILED' });
  expect(await write).toMatchObject({ code: 'EDGE_FAILED' });
  expect(await other.write(agentStream(readFileSync(CAPTURE)))).toBeUndefined();
});

test('a session that is closed ends its worker, and reports no failure', { timeout: 60_000 }, async () => {
  const { output, write, failed } = edge((_bytes, taken) => taken());
  output.close();
  expect(await write(Buffer.alloc(4))).toBeInstanceOf(Error);
  const first = await Promise.race([failed, new Promise((resolve) => setTimeout(() => resolve('none'), 300))]);
  expect(first).toBe('none');
});
