import { describe, expect, test } from 'vitest';
import { KeyLog } from '../../../../src/analyze/protocols/tls/decrypt/key-log.ts';
import { analyseBytes } from '../../../support/analysis.ts';
import { Random } from '../../../support/random.ts';
import {
  AIOQUIC,
  ASKED_OF_AIOQUIC,
  ASKED_OF_QUIC_GO,
  analyse,
  exchanges,
  keysOf,
  QUIC_GO,
  recordsOf,
  words,
} from './http3-recorded.ts';

describe.each([
  ['aioquic', AIOQUIC, ASKED_OF_AIOQUIC],
  ['quic-go', QUIC_GO, ASKED_OF_QUIC_GO],
])('HTTP/3 of %s', (_name, recorded, asked) => {
  const whole = analyseBytes(recorded.capture, true, 1 << 20, keysOf(recorded.keyLog));

  test('every request with its answer', () => {
    const found = exchanges(whole);
    expect(found.map(words).toSorted()).toEqual(asked.flat().toSorted());
    for (const { label, status, incomplete, fields, ...times } of found) {
      const isCancelled = status.startsWith('RST');
      expect([label, incomplete]).toEqual([label, isCancelled ? 'reset' : undefined]);
      expect(fields.http).toMatchObject({ version: '3', status: isCancelled ? undefined : Number(status) });
      if (isCancelled) continue;
      expect(times.requestEnd).toBeGreaterThanOrEqual(times.time);
      expect(times.responseTime).toBeGreaterThanOrEqual(times.requestEnd);
      expect(times.responseEnd).toBeGreaterThanOrEqual(times.responseTime ?? Number.NaN);
      const body = Number(/size=(\d+)/.exec(label)?.[1] ?? 0);
      if (status !== '204') expect(times.responseBytes).toBeGreaterThanOrEqual(body);
      expect(times.responseBytes).toBeLessThan(body + 120);
    }
  });

  test('handshakes with the protocol agreed on; secrets are masked', () => {
    const handshakes = whole.events.filter(({ event }) => event.protocol === 'quic' && event.kind === 'exchange');
    expect(handshakes).toHaveLength(asked.length);
    for (const { event } of handshakes) expect(event.fields.tls).toMatchObject({ sni: 'web.shop', alpn: 'h3' });
    expect(JSON.stringify(whole.events)).not.toContain('quic-secret-token');
  });

  test('the same without detail', () => {
    const keys = keysOf(recorded.keyLog);
    const found = exchanges(analyseBytes(recorded.capture, false, 1 << 20, keys));
    expect(keys.decrypted).toBe(asked.length);
    const facts = (list: typeof found) =>
      list.map(({ route, status, requestBytes, responseBytes, time }) => [
        route,
        status,
        requestBytes,
        responseBytes,
        time,
      ]);
    expect(facts(found)).toEqual(facts(exchanges(whole)));
  });

  test('without keys, and with those of other connections, nothing is decrypted', () => {
    const { events } = analyseBytes(recorded.capture);
    expect(events.filter(({ event }) => event.protocol !== 'quic')).toEqual([]);
    const wrong = recorded.keyLog.replace(
      / ([0-9a-f]+)$/gm,
      (_line, secret: string) => ` ${'5a'.repeat(secret.length / 2)}`,
    );
    const wrongKeys = keysOf(wrong);
    const other = analyseBytes(recorded.capture, true, 1 << 20, wrongKeys);
    expect(wrongKeys.decrypted).toBe(0);
    expect(exchanges(other)).toEqual([]);
    const told = other.events.filter(({ event }) => event.kind === 'event' && event.code === 'QUIC_NOT_DECRYPTED');
    expect(told.length).toBeLessThanOrEqual(asked.length);
  });

  test("with one side's keys only what that side sent is shown", () => {
    const requests = keysOf(recorded.keyLog.replace(/^SERVER_TRAFFIC.*\n/gm, ''));
    for (const exchange of exchanges(analyseBytes(recorded.capture, true, 1 << 20, requests))) {
      // The client itself cancels one.
      if (exchange.status === 'RST REQUEST_CANCELLED') continue;
      expect([exchange.status, exchange.failed, exchange.incomplete]).toEqual(['', false, 'response not captured']);
    }
    const responses = keysOf(recorded.keyLog.replace(/^CLIENT_TRAFFIC.*\n/gm, ''));
    for (const exchange of exchanges(analyseBytes(recorded.capture, true, 1 << 20, responses))) {
      if (exchange.label.includes('/early')) continue;
      expect(exchange).toMatchObject({ label: '(request not seen)', responseTime: expect.any(Number) });
    }
  });

  test('keys that come later: packets are held until then', () => {
    const keys = new KeyLog();
    keys.growing = true;
    const records = recordsOf(recorded.capture);
    // All packets first, then the keys: nothing but the end is left to hand on what was held.
    const late = analyseLate(recorded.capture, keys, recorded.keyLog);
    expect(records.length).toBeGreaterThan(0);
    const truth = new Set(asked.flat());
    const found = exchanges(late).filter(({ incomplete }) => incomplete === undefined);
    for (const exchange of found) expect(truth).toContain(words(exchange));
    expect(found.length).toBeGreaterThan(5);
  });

  test('packets in another order, and twice: the same exchanges', () => {
    for (const seed of [1, 2, 3]) {
      const random = new Random(seed);
      const mixed = [...recordsOf(recorded.capture)];
      for (let at = 0; at + 1 < mixed.length; at += 1) {
        const kind = random.below(5);
        if (kind === 0) mixed.splice(at + 1, 0, mixed[at] as Buffer);
        else if (kind === 1) {
          mixed.splice(at, 2, mixed[at + 1] as Buffer, mixed[at] as Buffer);
          at += 1;
        }
      }
      const found = exchanges(analyse(recorded, mixed, keysOf(recorded.keyLog)));
      // Early data that overtakes its ClientHello is not read.
      const certain = (told: string) => !told.includes('/early');
      const complete = found.filter(({ incomplete }) => incomplete === undefined || incomplete === 'reset').map(words);
      expect(complete.filter(certain).toSorted()).toEqual(asked.flat().filter(certain).toSorted());
    }
  });

  test('lost packets: what is stated as whole was so, and nothing failed that did not', () => {
    const truth = new Map(exchanges(whole).map((exchange) => [words(exchange), exchange]));
    for (let seed = 1; seed <= 12; seed += 1) {
      const random = new Random(seed);
      const kept = recordsOf(recorded.capture).filter(() => random.below(seed % 3 === 0 ? 4 : 30) > 0);
      for (const exchange of exchanges(analyse(recorded, kept, keysOf(recorded.keyLog)))) {
        const told = `${seed} ${words(exchange)} ${exchange.incomplete}`;
        if (exchange.failed) expect(told).toMatch(/ 50[03] |RST REQUEST_CANCELLED/);
        if (exchange.incomplete !== undefined) continue;
        const one = truth.get(words(exchange));
        expect([told, one?.label]).toEqual([told, exchange.label]);
      }
    }
  });
});

/** All of a capture, with keys that come after half of it. */
function analyseLate(capture: Buffer, keys: KeyLog, keyLog: string) {
  const half = recordsOf(capture);
  const at = 24 + half.slice(0, Math.floor(half.length / 10)).reduce((sum, record) => sum + record.length, 0);
  // analyseBytes cuts a capture into portions of one size: the keys come with the first read behind the first portion.
  let reads = 0;
  const late = new Proxy(keys, {
    get(target, name) {
      if (name === 'version' && reads++ === 40) target.add(keyLog);
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
    set: (target, name, value) => Reflect.set(target, name, value, target),
  });
  return analyseBytes(capture, true, at, late);
}
