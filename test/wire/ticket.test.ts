import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  encodeTicket,
  parseSealedTickets,
  parseTicket,
  TICKET_BYTES,
  TICKET_LIFE_MS,
  TICKET_PODS,
  type Ticket,
} from '../../src/wire/ticket.ts';
import { madeTicket } from '../ticket/made-ticket.ts';

const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const textOf = (ticket: Ticket) => new TextDecoder().decode(encodeTicket(ticket));

describe('encodeTicket and parseTicket', () => {
  test('a ticket is read as it was written, its pods sorted', () => {
    const ticket = madeTicket({ pods: [randomUUID(), randomUUID(), randomUUID()].sort().reverse(), filter: '' });
    const sorted = { ...ticket, pods: [...ticket.pods].sort() };
    expect(parseTicket(encodeTicket(ticket))).toEqual(sorted);
  });

  test('the largest ticket has no more bytes than TICKET_BYTES', () => {
    const pods = Array.from({ length: TICKET_PODS }, () => randomUUID());
    const bytes = encodeTicket(
      madeTicket({ pods, filter: 'x'.repeat(1024), sub: 'u'.repeat(512), node: 'n'.repeat(253) }),
    );
    expect(bytes.length).toBeLessThan(TICKET_BYTES);
  });

  test.each<[string, Partial<Ticket>]>([
    ['a Capture that is no UID', { capture: 'shop' }],
    ['a static pod by its config hash', { pods: ['0123456789abcdef0123456789abcdef'] }],
    ['no pods', { pods: [] }],
    ['a pod twice', { pods: ['6f0b6e4c-7d43-4c6e-9a60-0d5a2a1c7a11', '6f0b6e4c-7d43-4c6e-9a60-0d5a2a1c7a11'] }],
    ['too many pods', { pods: Array.from({ length: TICKET_PODS + 1 }, () => randomUUID()) }],
    ['no user', { sub: '' }],
    ['a user with too many characters', { sub: 'u'.repeat(513) }],
    ['a node that is no name', { node: '../etc' }],
    ['a filter with too many characters', { filter: 'x'.repeat(4097) }],
    ['a snaplen of 0', { snaplen: 0 }],
    ['half a snaplen', { snaplen: 1.5 }],
    ['more than a minute', { iat: 1_000, exp: 1_001 + TICKET_LIFE_MS }],
    ['an end before its beginning', { iat: 2_000, exp: 2_000 }],
    ['a jti that is short', { jti: 'ab' }],
  ])('%s is refused', (_, changes) => {
    expect(() => encodeTicket(madeTicket(changes))).toThrow(expect.objectContaining({ code: 'INVALID_MESSAGE' }));
  });

  test('only the canonical form is read', () => {
    const ticket = madeTicket();
    const text = textOf(ticket);
    const parsed: Record<string, unknown> = JSON.parse(text);
    const forms = [
      ` ${text}`,
      `${text}\n`,
      text.replace('{"v":1,', '{"v":1, '),
      text.replace('"v":1,', '"v":1,"v":1,'),
      text.replace('alice', '\\u0061lice'),
      text.replace('"v":1', '"v":1.0'),
      JSON.stringify({ ...parsed, more: true }),
      JSON.stringify(Object.fromEntries(Object.entries(parsed).reverse())),
      text.replace('"v":1', '"v":2'),
      text.replace('false', '"false"'),
      '[]',
      'null',
      '',
    ];
    for (const form of forms) {
      expect(() => parseTicket(new TextEncoder().encode(form)), form).toThrow(
        expect.objectContaining({ code: 'INVALID_MESSAGE' }),
      );
    }
    expect(() => parseTicket(Uint8Array.of(0xff, 0xfe))).toThrow('UTF-8');
    for (const key of Object.keys(parsed)) {
      const { [key]: _, ...rest } = parsed;
      expect(() => parseTicket(bytesOf(rest)), key).toThrow(expect.objectContaining({ code: 'INVALID_MESSAGE' }));
      for (const wrong of [null, {}, [], 'ä', -1, [null], '__proto__']) {
        expect(() => parseTicket(bytesOf({ ...parsed, [key]: wrong })), key).toSatisfy(throwsOrIsText(key, wrong));
      }
    }
  });
});

/** `sub` and `filter` are free text. */
function throwsOrIsText(key: string, wrong: unknown): (call: () => unknown) => boolean {
  return (call) => {
    if (typeof wrong === 'string' && (key === 'sub' || key === 'filter')) return call() !== undefined;
    try {
      call();
      return false;
    } catch {
      return true;
    }
  };
}

describe('parseSealedTickets', () => {
  const pod = { namespace: 'shop', name: 'web-1', uid: randomUUID() };
  const agent = { namespace: 'ksnoop', name: 'ksnoop-agent-x', uid: randomUUID() };
  const sealed = { node: 'worker-1', agent, pods: [pod], hostNetwork: false, sealed: 'AAAA' };

  test('reads what the controller writes, and ignores members it does not know', () => {
    expect(parseSealedTickets([{ ...sealed, more: 1 }])).toEqual([sealed]);
    expect(parseSealedTickets(undefined)).toEqual([]);
  });

  test.each<[string, unknown]>([
    ['no list', {}],
    ['too many', Array.from({ length: 501 }, () => sealed)],
    ['no pods', [{ ...sealed, pods: [] }]],
    ['a name with a line break', [{ ...sealed, pods: [{ ...pod, name: 'a\nb' }] }]],
    ['an agent that is no pod', [{ ...sealed, agent: 'x' }]],
    ['nothing sealed', [{ ...sealed, sealed: '' }]],
    ['too much sealed', [{ ...sealed, sealed: 'A'.repeat(16_385) }]],
  ])('%s is refused', (_, value) => {
    expect(() => parseSealedTickets(value)).toThrow(expect.objectContaining({ code: 'INVALID_MESSAGE' }));
  });
});
