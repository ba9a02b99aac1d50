import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { completeEndpoint } from '../../../src/run/otlp/endpoint.ts';
import { Exporter } from '../../../src/run/otlp/exporter.ts';
import { retryAfter } from '../../../src/run/otlp/post.ts';
import { type Issued, issue, makeAuthority } from '../../support/certificates.ts';
import { OtlpReceiver } from '../../support/otlp-receiver.ts';
import { Random } from '../../support/random.ts';

const receivers: OtlpReceiver[] = [];
afterEach(() => {
  for (const receiver of receivers.splice(0)) receiver.close();
});

const QUICK = { first: 1, longest: 5, giveUp: 300_000, queueBytes: 40_000 };

interface Made {
  readonly live?: boolean;
  readonly giveUp?: number;
  readonly identity?: Issued;
  /** A file. */
  readonly ca?: string;
}

async function made({ live = false, giveUp = QUICK.giveUp, identity, ca }: Made = {}) {
  const receiver = new OtlpReceiver(identity);
  receivers.push(receiver);
  const url = await receiver.listen();
  const endpoint = completeEndpoint({
    url,
    headers: ['X-Scope-OrgID=shop', 'Authorization=Bearer s3cret'],
    ca,
    signals: ['metrics', 'traces', 'logs'],
    environment: {},
  });
  const warnings: string[] = [];
  const exporter = new Exporter({ endpoint, live, warn: (line) => warnings.push(line), bounds: { ...QUICK, giveUp } });
  return { receiver, exporter, warnings };
}

describe('the exporter', () => {
  it('posts gzipped JSON to the path of the signal, with the headers, in order', async () => {
    const { receiver, exporter } = await made();
    for (let number = 0; number < 5; number += 1) exporter.send('traces', { number }, 1);
    exporter.send('logs', { number: 5 }, 2);
    await exporter.close();
    expect(receiver.received.map(({ path, body }) => [path, body])).toEqual([
      ...[0, 1, 2, 3, 4].map((number) => ['/v1/traces', { number }]),
      ['/v1/logs', { number: 5 }],
    ]);
    const headers = receiver.received[0]?.headers;
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'content-encoding': 'gzip',
      'x-scope-orgid': 'shop',
      authorization: 'Bearer s3cret',
    });
    expect(exporter.sent).toEqual({ metrics: 0, traces: 5, logs: 2 });
  });

  it('tries again what a busy receiver did not take, and says once that it does', async () => {
    const { receiver, exporter, warnings } = await made();
    receiver.answer = (_path, request) => (request <= 3 ? { status: [429, 503, 502][request - 1] ?? 503 } : undefined);
    exporter.send('traces', { number: 1 }, 7);
    await exporter.close();
    expect(receiver.received).toHaveLength(1);
    expect(exporter.sent.traces).toBe(7);
    expect(exporter.dropped.traces).toBe(0);
    expect(warnings.filter((line) => line.includes('tries again'))).toHaveLength(3);
    expect(warnings.at(-1)).toBe('The receiver of OpenTelemetry data takes data again.');
  });

  it('drops and counts what a receiver refuses, in whole or in part', async () => {
    const { receiver, exporter, warnings } = await made();
    receiver.answer = (path) => {
      if (path === '/v1/logs') return { status: 400 };
      return { status: 200, body: '{"partialSuccess":{"rejectedSpans":"3","errorMessage":"too old"}}' };
    };
    exporter.send('traces', {}, 10);
    exporter.send('logs', {}, 4);
    await exporter.close();
    expect(exporter.sent).toEqual({ metrics: 0, traces: 7, logs: 0 });
    expect(exporter.dropped).toEqual({ metrics: 0, traces: 3, logs: 4 });
    expect(warnings.join('\n')).toContain('status 400: logs are dropped');
    expect(warnings.join('\n')).not.toContain('s3cret');
  });

  it('sends no more of a signal that the receiver does not have', async () => {
    const { receiver, exporter, warnings } = await made();
    receiver.answer = (path) => (path === '/v1/metrics' ? undefined : { status: 404 });
    exporter.send('traces', {}, 1);
    await vi.waitFor(() => expect(exporter.wants('traces')).toBe(false), { timeout: 60_000 });
    exporter.send('traces', {}, 1);
    exporter.send('metrics', {}, 2);
    await exporter.close();
    expect(exporter.sent.metrics).toBe(2);
    expect(receiver.requests).toBe(2);
    expect(warnings).toHaveLength(1);
  });

  it('of a running capture keeps only the latest metrics that wait, and a bounded queue', async () => {
    const { receiver, exporter } = await made({ live: true });
    receiver.answer = () => ({ status: 503 });
    for (let number = 0; number < 20; number += 1) exporter.send('metrics', { number }, 1);
    const random = new Random(1);
    const noise = Array.from({ length: 600 }, () => random.below(2 ** 31)).join(' ');
    for (let number = 0; number < 100; number += 1) exporter.send('traces', { noise }, 1);
    expect(exporter.waiting()).toBeUndefined();
    expect(exporter.dropped.traces).toBeGreaterThan(80);
    receiver.answer = () => undefined;
    await exporter.close();
    const metrics = receiver.received.filter(({ path }) => path === '/v1/metrics').map(({ body }) => body);
    expect(metrics).toEqual([{ number: 0 }, { number: 19 }]);
    expect(exporter.sent.traces + exporter.dropped.traces).toBe(100);
  });

  it('lets a reading wait, and loses nothing of it', async () => {
    const { receiver, exporter } = await made();
    receiver.answer = (_path, request) => (request % 2 === 1 ? { status: 503 } : undefined);
    const random = new Random(1);
    const noise = Array.from({ length: 600 }, () => random.below(2 ** 31)).join(' ');
    let waits = 0;
    for (let number = 0; number < 60; number += 1) {
      exporter.send('traces', { number, noise }, 1);
      const room = exporter.waiting();
      if (room !== undefined) waits += 1;
      await room;
    }
    await exporter.close();
    expect(waits).toBeGreaterThan(0);
    expect(exporter.sent.traces).toBe(60);
    expect(receiver.received).toHaveLength(60);
  });

  it('sends over TLS to those whom the given authority vouches for', async () => {
    const authority = makeAuthority('test');
    const identity = issue(authority, { name: 'collector', hosts: ['127.0.0.1'] });
    const directory = mkdtempSync(join(tmpdir(), 'ksnoop-otlp-'));
    const ca = join(directory, 'ca.pem');
    writeFileSync(ca, authority.certificate);
    const trusted = await made({ identity, ca });
    const strange = await made({ identity, giveUp: 20 });
    rmSync(directory, { recursive: true });
    for (const { exporter } of [trusted, strange]) exporter.send('logs', {}, 1);
    await trusted.exporter.close();
    await expect(strange.exporter.close()).rejects.toMatchObject({ code: 'OTLP_FAILED' });
    expect(trusted.receiver.received).toHaveLength(1);
    expect(strange.receiver.received).toHaveLength(0);
  });

  it('gives up a receiver that takes nothing, and fails', async () => {
    const { receiver, exporter } = await made({ giveUp: 20 });
    receiver.answer = () => ({ status: 503 });
    exporter.send('traces', {}, 3);
    await expect(exporter.close()).rejects.toMatchObject({ code: 'OTLP_FAILED' });
    expect(exporter.dropped.traces).toBe(3);
  });
});

it('reads Retry-After as seconds or as a date', () => {
  const now = Date.parse('2026-11-29T12:00:00Z');
  expect(retryAfter('7', now)).toBe(7000);
  expect(retryAfter('Sun, 29 Nov 2026 12:00:30 GMT', now)).toBe(30_000);
  expect(retryAfter('Sun, 29 Nov 2026 11:00:30 GMT', now)).toBe(0);
  expect(retryAfter('soon', now)).toBeUndefined();
  expect(retryAfter(undefined, now)).toBeUndefined();
});
