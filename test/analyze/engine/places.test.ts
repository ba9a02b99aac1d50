import { expect, test } from 'vitest';
import { Places } from '../../../src/analyze/engine/places.ts';
import { PacketView } from '../../../src/analyze/packet/packet.ts';
import { LINK_TYPE } from '../../../src/wire/link-type.ts';

/** A packet of an interface of the capture with a header of LINKTYPE_LINUX_SLL2. @param index of the interface in the kernel */
function cooked(interfaceId: number, index: number): PacketView {
  const packet = new PacketView();
  const bytes = new Uint8Array(40);
  new DataView(bytes.buffer).setInt32(4, index);
  return Object.assign(packet, { bytes, offset: 0, caplen: 40, linkType: LINK_TYPE.linuxSll2, interfaceId });
}

test.each([1, 65_535, 65_536, 70_000, 2_147_483_647, -1])(
  'interface index %i leaves the place its capture',
  (index) => {
    const places = new Places();
    places.add(0, { name: 'node1/any', description: 'node=node1' });
    places.add(1, { name: 'node2/any', description: 'node=node2' });
    places.missed(1);
    const [first, second] = [places.of(cooked(0, index)), places.of(cooked(1, index))];
    expect([places.hasMissed(first), places.hasMissed(second)]).toEqual([false, true]);
    expect(places.clockOf(first)).not.toBe(places.clockOf(second));
    expect([places.isAlive(first), places.isAlive(second)]).toEqual([true, true]);
    expect([first, second]).not.toContain(0);
  },
);

test('interfaces of one capture are places of their own', () => {
  const places = new Places();
  places.add(0, { name: 'node1/any', description: 'node=node1' });
  const numbers = [2, 3, 70_000, 70_001].map((index) => places.of(cooked(0, index)));
  expect(new Set(numbers).size).toBe(4);
});
