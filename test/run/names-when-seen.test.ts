import { expect, test } from 'vitest';
import { NamesWhenSeen } from '../../src/run/names-when-seen.ts';

const ETHERNET = 1;

/** An Enhanced Packet Block of a frame with these addresses, at an offset of its bytes. */
function block(source: string, destination: string, offset = 0, caplen?: number): Buffer {
  const four = Buffer.concat([
    Buffer.from('02000000000202000000000108004500001c000000004011', 'hex'),
    Buffer.alloc(2),
    ...[source, destination].map((address) => Buffer.from(address.split('.').map(Number))),
    Buffer.alloc(8),
  ]);
  const bytes = Buffer.alloc(offset + 28 + four.length);
  bytes.writeUInt32LE(caplen ?? four.length, offset + 20);
  four.copy(bytes, offset + 28);
  return bytes;
}

const named = (address: string) => ({ address, names: [address], ifSeen: true as const });
const texts = (names: readonly { address: string }[]) => names.map(({ address }) => address);

test('each of the two addresses is named once, also when only one of them is another than in the packet before', () => {
  const waiting = new NamesWhenSeen();
  for (const address of ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4']) waiting.add(named(address));
  const take = (source: string, destination: string) => texts(waiting.take(ETHERNET, block(source, destination, 8), 8));
  expect(take('10.0.0.1', '10.0.0.2')).toEqual(['10.0.0.1', '10.0.0.2']);
  expect(take('10.0.0.1', '10.0.0.2')).toEqual([]);
  expect(take('10.0.0.1', '10.0.0.3')).toEqual(['10.0.0.3']);
  expect(take('10.0.0.4', '10.0.0.3')).toEqual(['10.0.0.4']);
});

test('a name that comes later is given out for the conversation that continues', () => {
  const waiting = new NamesWhenSeen();
  const packet = block('10.0.0.1', '10.0.0.2');
  waiting.add(named('10.0.0.9'));
  expect(texts(waiting.take(ETHERNET, packet, 0))).toEqual([]);
  waiting.add(named('10.0.0.2'));
  expect(texts(waiting.take(ETHERNET, packet, 0))).toEqual(['10.0.0.2']);
});

test('a name that is known from elsewhere does not wait any more, and of a cut packet nothing is read', () => {
  const waiting = new NamesWhenSeen();
  for (const address of ['10.0.0.1', '10.0.0.2', 'fd00::1']) waiting.add(named(address));
  waiting.delete('10.0.0.1');
  waiting.delete('fd00::1');
  expect(texts(waiting.take(ETHERNET, block('10.0.0.1', '10.0.0.2', 0, 20), 0))).toEqual([]);
  expect(texts(waiting.take(ETHERNET, block('10.0.0.1', '10.0.0.2'), 0))).toEqual(['10.0.0.2']);
});
