import { join } from 'node:path';
import { expect, test } from 'vitest';
import { STREAM_PROTOCOLS } from '../../../src/analyze/protocols/index.ts';
import type { StreamProtocol } from '../../../src/analyze/protocols/protocol.ts';
import { CONVERSATIONS, type ConversationName } from '../../oracle/loss/index.ts';
import { Random } from '../../support/random.ts';

/**
 * What each protocol takes bytes for, in test/golden/likeness: messages of its own, as far as they have come and with each byte of
 * their beginning changed to each value, and messages of the others. A limit that moves by one shows in the diff of a
 * commit. When a change is meant: `vitest run -u --project unit` and this file.
 */
const GOLDEN = join(import.meta.dirname, '../../golden/likeness');
/** Bytes of each message that are changed. */
const CHANGED = 28;
/** Bytes behind a message that are none of its own: what reads past its end finds these. */
const AROUND = 16;

const NAMES = Object.keys(CONVERSATIONS) as ConversationName[];
const MADE = NAMES.flatMap((name) => {
  const { protocol, transport, opening, exchanges } = CONVERSATIONS[name](2, new Random(7));
  const own = exchanges.flatMap(({ request, response }) => [request, response]);
  const messages = [...opening.map(([, bytes]) => bytes), ...own].filter((bytes) => bytes.length > 0);
  return transport === 'udp' ? [] : [{ name, protocol, messages }];
});

test.each(STREAM_PROTOCOLS.map((protocol) => [protocol.name, protocol] as const))('%s', async (name, protocol) => {
  const lines: string[] = [];
  for (const { name: maker, protocol: of, messages } of MADE) {
    for (const [index, message] of messages.entries()) {
      lines.push(`${maker} ${index}: by length ${byLength(protocol, message)}`);
      if (of === name) lines.push(...byByte(protocol, message));
    }
  }
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(join(GOLDEN, `${name}.txt`));
});

/** @param available bytes of the message that have come */
function likeness(protocol: StreamProtocol, message: Buffer, available = message.length): string {
  const bytes = Buffer.alloc(AROUND + available + AROUND, 0xee);
  message.copy(bytes, AROUND, 0, available);
  return protocol.probe(bytes, AROUND, AROUND + available);
}

function byLength(protocol: StreamProtocol, message: Buffer): string {
  const lengths = Array.from({ length: Math.min(message.length, 80) }, (_, index) => index + 1);
  return runs(lengths.map((available) => [available, likeness(protocol, message, available)]));
}

/** A line for each byte, where all values of it do not give the same. */
function byByte(protocol: StreamProtocol, message: Buffer): string[] {
  return Array.from({ length: Math.min(CHANGED, message.length) }, (_, at) => {
    const values = Array.from({ length: 256 }, (__, value): [number, string] => {
      const other = Buffer.from(message);
      other[at] = value;
      return [value, likeness(protocol, other)];
    });
    return `  byte ${at}, which is ${message[at]}: ${runs(values)}`;
  }).filter((line) => !/: 0–255 \w+$/.test(line));
}

/** `1–3 more, 4–80 client` */
function runs(all: readonly (readonly [number, string])[]): string {
  const parts: string[] = [];
  for (let at = 0; at < all.length; ) {
    const [first, answer] = all[at] as [number, string];
    let last = at;
    while (all[last + 1]?.[1] === answer) last += 1;
    parts.push(`${first}${last > at ? `–${all[last]?.[0]}` : ''} ${answer}`);
    at = last + 1;
  }
  return parts.join(', ');
}
