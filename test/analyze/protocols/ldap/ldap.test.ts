import { fileURLToPath } from 'node:url';
import { describe, expect, it, test } from 'vitest';
import { ldap } from '../../../../src/analyze/protocols/ldap/index.ts';
import { askedRoute } from '../../../../src/analyze/protocols/ldap/request.ts';
import { analyseFile } from '../../../support/analysis.ts';
import { brief, briefOfFile } from '../brief.ts';
import { conversations } from '../conversations.ts';
import { inventsNothing, likesNoNoise, sameHoweverCut, survivesMutations } from '../hardiness.ts';
import { type PlayOptions, play, type Step } from '../play.ts';
import { tsharkFields } from '../tshark-fields.ts';

const CAPTURE = fileURLToPath(new URL('../captures/ldap.pcap', import.meta.url));
const ALL = conversations(CAPTURE);

const element = (tag: number, ...parts: (Buffer | string)[]): Buffer => {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const { length } = content;
  const head = length < 128 ? [tag, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(...head), content]);
};
const message = (id: number, operation: Buffer) => element(0x30, element(0x02, Buffer.of(id)), operation);
const number = (value: number) => element(0x0a, Buffer.of(value));
const bind = (id: number, ...way: Buffer[]) =>
  message(id, element(0x60, element(0x02, Buffer.of(3)), element(0x04, 'cn=web,dc=shop'), ...way));
const simple = element(0x80, 'hunter2');
const search = (id: number, name = 'ou=people,dc=shop') => message(id, element(0x63, element(0x04, name), number(2)));
const entry = (id: number, size = 10) =>
  message(id, element(0x64, element(0x04, 'uid=u'), element(0x30, 'x'.repeat(size))));
const result = (id: number, tag: number, code: number, text = '') =>
  message(id, element(tag, number(code), element(0x04, ''), element(0x04, text)));
const told = (steps: readonly Step[], options: PlayOptions = {}) => brief(play(ldap, steps, options));

describe('a real server and its programs', () => {
  it('each operation, its failures, and StartTLS', async () => {
    expect(await briefOfFile(CAPTURE)).toMatchSnapshot();
  });

  it('an exchange has its parts', async () => {
    const events = (await analyseFile(CAPTURE)).events.map(({ event }) => event);
    expect(events.find((event) => event.kind === 'exchange' && event.status === 'sizeLimitExceeded')).toMatchObject({
      label: 'search ou=people,dc=shop',
      failed: true,
      fields: { ldap: { operation: 'search', name: 'ou=people,dc=shop', scope: 'one', entries: 3, code: 4 } },
    });
    expect(events.find(({ label }) => label === 'bind uid=u5,ou=people,dc=shop')).toMatchObject({
      route: 'bind',
      status: 'invalidCredentials',
      failed: true,
      fields: { ldap: { mechanism: 'simple', code: 49 } },
    });
  });

  it('the messages that tshark sees: operations, names and results, as often', async () => {
    const frames = tsharkFields(CAPTURE, 'ldap && !tls', ['ldap.baseObject', 'ldap.resultCode', 'ldap.messageID']);
    if (frames === undefined) return;
    const { events } = await analyseFile(CAPTURE);
    const all = events.flatMap(({ event }) => (event.kind === 'exchange' && event.protocol === 'ldap' ? [event] : []));
    const of = (at: number) => frames.flatMap((frame) => (frame[at] ?? '').split(',').filter((text) => text !== ''));
    const codes = all.map((event) => String((event.fields.ldap as { code?: number }).code));
    expect(codes.length).toBe(35);
    expect(codes.sort()).toEqual(of(1).sort());
    const bases = all.flatMap((event) => {
      const { operation, name } = event.fields.ldap as { operation: string; name?: string };
      return operation === 'search' && name !== undefined ? [name] : [];
    });
    expect(bases.length).toBe(3);
    // A name has a comma, which parts those of one frame as well.
    expect(bases.sort().join()).toBe(
      frames
        .flatMap(([base = '']) => (base === '' ? [] : [base]))
        .sort()
        .join(),
    );
  });

  it('shows no credential', async () => {
    expect(JSON.stringify((await analyseFile(CAPTURE)).events)).not.toMatch(/hunter2/);
    expect(JSON.stringify(play(ldap, [[0, bind(1, simple)]]))).not.toMatch(/hunter2/);
  });
});

describe('any bytes', () => {
  it('the same events however the stream is cut', () => {
    for (const steps of ALL) sameHoweverCut(ldap, steps, 3);
  });

  it('mutated conversations', () => survivesMutations(ldap, ALL, 300));

  it('random bytes are not LDAP', () => likesNoNoise(ldap, 300_000));

  it('knows whose bytes they are when the capture begins in the middle', () => {
    for (const steps of ALL) {
      const isPlain = !steps.some(([, what]) => what instanceof Uint8Array && what[0] === 0x16);
      for (const [side, what] of isPlain ? steps : []) {
        const bytes = what as Uint8Array;
        expect(ldap.probe(bytes, 0, bytes.length)).toBe(side === 0 ? 'client' : 'server');
      }
    }
  });

  it('goes on behind what was not captured, and invents nothing', () => {
    for (const steps of ALL)
      inventsNothing(ldap, steps, ({ label, protocol }) => (protocol === 'ldap' ? label : protocol));
  });
});

test.each([
  [bind(1, simple), 'client'],
  [search(5), 'client'],
  [result(5, 0x65, 0), 'server'],
  [message(3, element(0x42)), 'client'],
  [search(5).subarray(0, 3), 'more'],
  // SNMP, a key, a certificate.
  [element(0x30, element(0x02, Buffer.of(0)), element(0x04, 'public'), element(0xa0, 'xxxx')), 'no'],
  [element(0x30, element(0x02, Buffer.of(0)), element(0x02, 'xxxxxxxx')), 'no'],
  [element(0x30, element(0x30, element(0xa0, 'x'))), 'no'],
] as const)('%j is %s', (bytes, likeness) => expect(ldap.probe(bytes, 0, bytes.length)).toBe(likeness));

describe('what the capture does not have', () => {
  it('answers in another order, and entries of two searches between each other', () => {
    const steps: Step[] = [
      [0, Buffer.concat([search(1), search(2, 'ou=a,dc=b')])],
      [1, Buffer.concat([entry(1), entry(2), entry(1), result(2, 0x65, 0), result(1, 0x65, 0)])],
    ];
    const events = sameHoweverCut(ldap, steps);
    expect(events.map(({ label, fields }) => [label, (fields.ldap as { entries: number }).entries])).toEqual([
      ['search ou=a,dc=b', 1],
      ['search ou=people,dc=shop', 2],
    ]);
  });

  it('a search whose entries were not all captured has no count and no latency', () => {
    const steps: Step[] = [
      [0, search(1)],
      [1, { gap: 500 }],
      [1, Buffer.concat([entry(1), result(1, 0x65, 0)])],
    ];
    expect(play(ldap, steps)).toMatchObject([
      { status: 'success', incomplete: 'response not captured', responseTime: undefined, failed: false },
    ]);
    expect(JSON.stringify(play(ldap, steps))).not.toContain('entries');
  });

  it('a search that is cut off within its entries, and one without an answer', () => {
    const begun: Step[] = [
      [0, search(1)],
      [1, entry(1)],
    ];
    expect(told(begun)).toEqual(['search ou=people,dc=shop = ! [closed early]']);
    expect(told(begun, { end: 'capture ended' })).toEqual(['search ou=people,dc=shop =  [capture ended]']);
    expect(told([[0, search(1)]])).toEqual(['search ou=people,dc=shop = ! [no response]']);
  });

  it('texts that the end of the capture cuts off are marked', () => {
    const steps: Step[] = [
      [0, search(1)],
      [1, result(1, 0x65, 53, 'id12').subarray(0, -1)],
    ];
    expect(told(steps, { end: 'capture ended' })).toEqual([
      'search ou=people,dc=shop = unwillingToPerform id1…! [capture ended]',
    ]);
  });

  it('an abandoned search has no answer, and has not failed', () => {
    expect(
      told([
        [0, search(1)],
        [0, message(2, element(0x50, Buffer.of(1)))],
      ]),
    ).toEqual(['search ou=people,dc=shop = abandoned']);
  });

  it('a result of what was not captured', () => {
    expect(
      told(
        [
          [1, { gap: 3 }],
          [1, result(7, 0x61, 49, 'wrong')],
        ],
        { midstream: true },
      ),
    ).toEqual(['(request not seen) = invalidCredentials wrong! [request not seen]']);
    expect(told([[1, result(7, 0x61, 49)]])).toEqual([]);
  });

  it('the server says that it disconnects', () => {
    expect(told([[1, result(0, 0x78, 52, 'going down')]])).toEqual([
      'LDAP_DISCONNECTION the server disconnects: unavailable going down',
    ]);
  });

  it('behind a SASL security layer nothing is decoded, which is named once', () => {
    const sasl = element(0xa3, element(0x04, 'GSS-SPNEGO'), element(0x04, 'token'));
    const sealed = Buffer.concat([Buffer.of(0, 0, 1, 44), Buffer.alloc(300, 7)]);
    const steps: Step[] = [
      [0, bind(1, sasl)],
      [1, result(1, 0x61, 0)],
      [0, sealed],
      [1, sealed],
    ];
    expect(brief(sameHoweverCut(ldap, steps))).toEqual([
      'bind cn=web,dc=shop = success',
      'LDAP_SEALED a SASL security layer protects what follows: not decoded',
    ]);
  });

  it('what does not exist fails only what changes it', () => {
    const modify = message(1, element(0x66, element(0x04, 'uid=u,dc=b')));
    expect(
      told([
        [0, modify],
        [1, result(1, 0x67, 32)],
      ]),
    ).toEqual(['modify uid=u,dc=b = noSuchObject!']);
    expect(
      told([
        [0, search(1)],
        [1, result(1, 0x65, 32)],
      ]),
    ).toEqual(['search ou=people,dc=shop = noSuchObject']);
  });
});

test.each([
  ['uid=bob,ou=people,dc=shop', 'modify uid=*,ou=people,dc=shop'],
  ['cn=Smith\\, Bob,ou=people,dc=shop', 'modify cn=*,ou=people,dc=shop'],
  ['ou=people,dc=shop', 'modify ou=people,dc=shop'],
  ['', 'modify'],
])('%s is counted under %s', (name, route) => {
  expect(askedRoute({ operation: 'modify', name, scope: '', mechanism: '' })).toBe(route);
});
