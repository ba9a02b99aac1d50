import { join } from 'node:path';
import { expect, test } from 'vitest';
import { STREAM_PROTOCOLS } from '../../../src/analyze/protocols/index.ts';
import { CONVERSATIONS, type ConversationName } from '../../oracle/loss/index.ts';
import { byByte, byLength, type Judge } from '../../support/by-byte.ts';
import { Random } from '../../support/random.ts';

/**
 * What each protocol takes bytes for, in test/golden/likeness: messages of its own, as far as they have come and with each byte of
 * their beginning changed to each value, and messages of the others. A limit that moves by one shows in the diff of a
 * commit. When a change is meant: `vitest run -u --project unit` and this file.
 */
const GOLDEN = join(import.meta.dirname, '../../golden/likeness');
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
      const judge: Judge = (bytes, start, end) => protocol.probe(bytes, start, end);
      const label = `${maker} ${index}`;
      lines.push(...(of === name ? byByte(label, message, judge) : [byLength(label, message, judge)]));
    }
  }
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(join(GOLDEN, `${name}.txt`));
});
