import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { encodeRecordingTicket, parseRecordingTicket, type RecordingTicket } from '../../src/wire/recording-ticket.ts';
import { TICKET_BYTES, TICKET_PODS } from '../../src/wire/ticket.ts';
import { madeFetchTicket, madeListTicket, madeRecordTicket } from '../ticket/made-ticket.ts';

const refused = expect.objectContaining({ code: 'INVALID_MESSAGE' });
const parse = (text: string) => parseRecordingTicket(new TextEncoder().encode(text));

describe('encodeRecordingTicket and parseRecordingTicket', () => {
  test.each<[string, RecordingTicket]>([
    ['record', madeRecordTicket()],
    ['record without pods and filter', madeRecordTicket({ pods: [], filter: '' })],
    ['fetch', madeFetchTicket()],
    ['list', madeListTicket()],
  ])('%s is read as it was written', (_, ticket) => {
    expect(parseRecordingTicket(encodeRecordingTicket(ticket))).toEqual(ticket);
  });

  test('the largest ticket has no more bytes than TICKET_BYTES', () => {
    const pods = Array.from({ length: TICKET_PODS }, () => randomUUID());
    const large = { pods, filter: 'x'.repeat(1024), sub: 'u'.repeat(512), node: 'n'.repeat(253) };
    expect(encodeRecordingTicket(madeRecordTicket(large)).length).toBeLessThan(TICKET_BYTES);
  });

  test.each<[string, RecordingTicket]>([
    ['a Capture that is no UID', madeFetchTicket({ capture: '../../etc' })],
    ['more than a minute', madeListTicket({ iat: 1_000, exp: 61_001 })],
    ['a recording of more than a day', madeRecordTicket({ iat: 1_000, exp: 2_000, until: 1_000 + 26 * 3_600_000 })],
    ['too many pods', madeRecordTicket({ pods: Array.from({ length: TICKET_PODS + 1 }, () => randomUUID()) })],
    ['a static pod by its config hash', madeRecordTicket({ pods: ['0123456789abcdef0123456789abcdef'] })],
  ])('%s is refused', (_, ticket) => {
    expect(() => encodeRecordingTicket(ticket)).toThrow(refused);
  });

  test('only the canonical form is read, and no member of another kind', () => {
    const text = new TextDecoder().decode(encodeRecordingTicket(madeFetchTicket()));
    const parsed: Record<string, unknown> = JSON.parse(text);
    const forms = [
      ` ${text}`,
      text.replace('"v":1', '"v":2'),
      text.replace('"fetch"', '"record"'),
      text.replace('"fetch"', '"list"'),
      text.replace('"fetch"', '"stream"'),
      text.replace('alice', '\\u0061lice'),
      JSON.stringify({ ...parsed, pods: [] }),
      JSON.stringify(Object.fromEntries(Object.entries(parsed).reverse())),
      '[]',
      'null',
      '',
    ];
    for (const form of forms) expect(() => parse(form), form).toThrow(refused);
  });
});
