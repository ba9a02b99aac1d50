// Apache Dubbo for Python to itself: Triple is gRPC's messages on HTTP/2, and is shown as gRPC.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { http2 } from '../../../../src/analyze/protocols/http2/index.ts';
import { analyseFile } from '../../../support/analysis.ts';
import { briefOfFile } from '../brief.ts';
import { conversations } from '../conversations.ts';
import { sameHoweverCut } from '../hardiness.ts';
import { tsharkFields } from '../tshark-fields.ts';

const CAPTURE = join(import.meta.dirname, '../captures/triple.pcap');
const SERVICE = 'com.shop.api.CartService';

test('calls of a real client: method and status', async () => {
  expect(await briefOfFile(CAPTURE)).toEqual([
    `${SERVICE}/add = OK`,
    `${SERVICE}/slow = OK`,
    `${SERVICE}/fail = INTERNAL Invoke method failed: no such item!`,
    `${SERVICE}/nowhere = UNIMPLEMENTED Service ${SERVICE} is not found!`,
    `${SERVICE}/add = OK`,
    `${SERVICE}/watch = OK`,
  ]);
});

test('an exchange has its parts, and nothing of what was called with', async () => {
  const { events } = await analyseFile(CAPTURE);
  const [, slow, , , , watch] = events.map(({ event }) => (event.kind === 'exchange' ? event : undefined));
  expect(slow).toMatchObject({
    protocol: 'grpc',
    route: `${SERVICE}/slow`,
    fields: { grpc: { service: SERVICE, method: 'slow' } },
  });
  // The server waits for 300 ms.
  expect((slow?.responseTime ?? 0) - (slow?.requestEnd ?? 0)).toBeGreaterThanOrEqual(300e6);
  // This client sends an empty message behind that of the call.
  expect(watch?.fields.grpc).toMatchObject({ requests: 2, responses: 3, type: 'streaming' });
  expect(JSON.stringify(events)).not.toContain('hunter2');
});

test('the requests and statuses that tshark sees', async () => {
  const fields = ['http2.headers.path', 'http2.header.name', 'http2.header.value'];
  const rows = tsharkFields(CAPTURE, 'http2', fields, ['-d', 'tcp.port==50051,http2', '-E', 'aggregator=;']);
  if (rows === undefined) return;
  const { events } = await analyseFile(CAPTURE);
  const exchanges = events.map(({ event }) => event);
  const paths = rows.flatMap(([path = '']) => path.split(';').filter((text) => text !== ''));
  expect(exchanges.map(({ label }) => `/${label}`).sort()).toEqual(paths.sort());
  const statuses = rows.flatMap(([, names = '', values = '']) => {
    const value = values.split(';');
    return names.split(';').flatMap((name, at) => (name === 'grpc-status' ? [value[at]] : []));
  });
  expect(statuses.sort()).toEqual(['0', '0', '0', '0', '12', '13']);
});

test('however the stream is cut', () => {
  const [steps = []] = conversations(CAPTURE);
  expect(steps.length).toBeGreaterThan(20);
  sameHoweverCut(http2, steps, 4);
});
