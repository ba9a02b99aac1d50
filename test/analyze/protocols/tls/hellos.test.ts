import { describe, expect, test } from 'vitest';
import { tls } from '../../../../src/analyze/protocols/tls/index.ts';
import type { AnalysisEvent, Exchange } from '../../../../src/analyze/record/event.ts';
import { play, playCut, type Step } from '../play.ts';
import { EXTENSION, type Extensions, madeClientHello, madeServerHello, madeSsl2Hello } from './made-hello.ts';

const tell = (steps: readonly Step[]) => play(tls, steps, { end: 'capture ended' })[0] as Exchange;
const fields = (steps: readonly Step[]) => tell(steps).fields.tls as Record<string, unknown>;

const USUAL: Extensions = [
  EXTENSION.serverName('web.shop'),
  EXTENSION.alpn(['h2', 'http/1.1']),
  EXTENSION.versions([0x0304, 0x0303]),
  EXTENSION.signatures([0x0403, 0x0804]),
];

describe('GREASE', () => {
  test('counts for nothing', () => {
    const plain = madeClientHello([0x1301, 0xc02f], USUAL);
    const greased = madeClientHello(
      [0x3a3a, 0x1301, 0xc02f],
      [
        [0xaaaa, []],
        EXTENSION.serverName('web.shop'),
        EXTENSION.alpn(['h2', 'http/1.1']),
        EXTENSION.versions([0xfafa, 0x0304, 0x0303]),
        EXTENSION.signatures([0x1a1a, 0x0403, 0x0804]),
        [0x0a0a, [0]],
      ],
    );
    expect(fields([[0, greased]])).toEqual(fields([[0, plain]]));
    expect(fields([[0, plain]]).ja4).toMatch(/^t13d0204h2_/);
  });
});

describe('the application protocol', () => {
  const hello = madeClientHello([0xc02f], USUAL);

  test('is the one agreed on where that is visible, and else those offered', () => {
    const tls12 = (...extensions: Extensions) =>
      fields([
        [0, hello],
        [1, madeServerHello(0xc02f, extensions)],
      ]);
    expect(tls12(EXTENSION.alpn(['http/1.1']))).toMatchObject({ version: 'TLS1.2', alpn: 'http/1.1' });
    expect(tls12()).toMatchObject({ version: 'TLS1.2', alpn: undefined, alpnOffered: ['h2', 'http/1.1'] });
    expect(tls12([43, [3, 4]])).toMatchObject({ version: 'TLS1.3', alpn: 'h2,http/1.1' });
    expect(tell([[0, hello]]).label).toBe('TLS web.shop h2,http/1.1');
  });

  test('cannot break the line', () => {
    const odd = madeClientHello([0xc02f], [EXTENSION.serverName('web\nshop'), EXTENSION.alpn(['a\tb\r'])]);
    expect(tell([[0, odd]]).label).toBe('TLS web shop a b ');
  });
});

describe("a hello in SSL 2.0's form", () => {
  const hello = madeSsl2Hello(0x0301, [0x000004, 0x00000a, 0x0700c0]);

  test('offers TLS', () => {
    const steps: Step[] = [
      [0, hello],
      [1, madeServerHello(0x000a, [])],
    ];
    for (const events of playCut(tls, steps, { end: 'capture ended' }, 8)) {
      expect(events).toHaveLength(1);
      expect(events[0]).toMatchObject({ label: 'TLS1.2 no SNI', requestBytes: hello.length });
      expect(events[0]?.fields.tls).toMatchObject({
        cipher: 'TLS_RSA_WITH_3DES_EDE_CBC_SHA',
        ja4: expect.stringMatching(/^t10i020000_/),
        supportedVersions: ['TLS1.0'],
      });
    }
    for (let end = 0; end < 11; end += 1) expect(tls.probe(hello, 0, end)).toBe('more');
    expect(tls.probe(hello, 0, hello.length)).toBe('client');
  });

  test('with lengths that do not fit is none', () => {
    for (const at of [0, 1, 2, 3, 5, 6, 7, 8, 9, 10]) {
      const changed = Uint8Array.from(hello);
      changed[at] = (changed[at] as number) ^ 0x41;
      expect(tls.probe(changed, 0, changed.length)).toBe('no');
      expect(play(tls, [[0, changed]])).toEqual([]);
    }
  });
});

describe('a hello that is none', () => {
  test('with lengths that do not fit says nothing', () => {
    const hello = madeClientHello([0x1301], USUAL);
    const told: AnalysisEvent[] = [];
    // The lengths of the session id, of the cipher suites, of the compression methods, of all extensions.
    for (const at of [43, 44, 48, 50]) {
      const changed = Uint8Array.from(hello);
      changed[at] = 0xff;
      told.push(...play(tls, [[0, changed]]));
    }
    expect(told).toEqual([]);
  });
});
