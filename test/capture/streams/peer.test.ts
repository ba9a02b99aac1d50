import { isIP } from 'node:net';
import { expect, test } from 'vitest';
import { Merge } from '../../../src/capture/streams/merge.ts';
import { calleeOf, callerOf } from '../../../src/capture/streams/peer.ts';
import { PeerTap } from '../../../src/capture/streams/peer-tap.ts';
import { EPB_FLAG } from '../../../src/wire/pcapng.ts';
import { enhancedPacketBytes, writeEnhancedPacket } from '../../../src/wire/pcapng-write.ts';
import { tcpFrame } from '../../support/built-capture.ts';
import * as sample from '../../support/pcapng-sample.ts';

const ETHERNET = 1;
const asked = (flags: string, ports: readonly [number, number] = [40_000, 80]) =>
  tcpFrame({ side: 0, sequence: 1, flags, ports, at: 0 });

test.each([
  ['a SYN', asked('S'), '10.0.0.1'],
  ['a SYN to a higher port', asked('S', [100, 8080]), '10.0.0.1'],
  ['an answered SYN', asked('S.', [80, 40_000]), undefined],
  ['an answered SYN from a higher port', asked('S.', [8080, 800]), undefined],
  ['what a client says later', asked('P.'), '10.0.0.1'],
  ['what a server says', asked('P.', [80, 40_000]), undefined],
])('%s tells who begins, or nobody', (_, frame, caller) => {
  expect(callerOf(ETHERNET, frame, 0, frame.length)).toBe(caller);
});

test.each([
  ['a SYN', asked('S'), '10.0.0.2'],
  ['a SYN to a higher port', asked('S', [100, 8080]), '10.0.0.2'],
  ['an answered SYN', asked('S.', [80, 40_000]), undefined],
  ['what a client says later', asked('P.'), '10.0.0.2'],
  ['what a server says', asked('P.', [80, 40_000]), undefined],
  ['a query of DNS', asked('S', [40_000, 53]), undefined],
])('%s shows what is called, or nothing', (_, frame, callee) => {
  expect(calleeOf(ETHERNET, frame, 0, frame.length)).toBe(callee);
});

test('IPv6 in cooked headers, in the words of Kubernetes', () => {
  const bytes = Buffer.alloc(20 + 40 + 20);
  bytes.writeUInt16BE(0x86dd, 0);
  bytes[20] = 0x60;
  bytes[26] = 6;
  Buffer.from('fd000000000000000000000000000007', 'hex').copy(bytes, 28);
  bytes.writeUInt16BE(40_000, 60);
  bytes.writeUInt16BE(80, 62);
  bytes[73] = 2;
  bytes[59] = 9;
  expect(callerOf(276, bytes, 0, bytes.length)).toBe('fd00::7');
  expect(calleeOf(276, bytes, 0, bytes.length)).toBe('::9');
  for (let length = 0; length < 74; length += 1) expect(callerOf(276, bytes, 0, length)).toBeUndefined();
});

test('of any bytes it is an address or nobody, and no byte outside of the packet is read', () => {
  const frame = asked('S');
  let addresses = 0;
  for (let seed = 0; seed < 3_000; seed += 1) {
    // A SYN with one byte changed, cut anywhere, for every link type.
    const packet = Buffer.from(frame).subarray(0, seed % (frame.length + 1));
    if (packet.length > 0) packet[(seed * 7) % packet.length] = (seed * 31) & 0xff;
    for (const linkType of [0, 1, 101, 113, 276]) {
      const results = [0x00, 0x45, 0xff].map((filler) => {
        const around = Buffer.alloc(64, filler);
        return callerOf(linkType, Buffer.concat([around, packet, around]), around.length, packet.length);
      });
      const [caller] = results;
      expect(new Set(results).size, `seed ${seed}, link type ${linkType}: ${results}`).toBe(1);
      if (caller === undefined) continue;
      addresses += 1;
      expect(isIP(caller), caller).not.toBe(0);
    }
  }
  expect(addresses).toBeGreaterThan(10);
});

test('the tap hands everything on, and reports callers of the pod and what it calls, not frames for others', () => {
  const seen: string[] = [];
  const called: string[] = [];
  let written = 0;
  const output = {
    pending: 0,
    ended: false,
    flush: () => {},
    addInterface: () => {},
    write: () => {
      written += 1;
    },
  };
  const merge = new Merge(
    new PeerTap(output, {
      caller: (label, caller) => void seen.push(`${label} ${caller}`),
      callee: (label, callee) => void called.push(`${label} ${callee}`),
    }),
  );
  const source = merge.addSource('node');
  const frame = asked('S');
  source.push(Buffer.concat([sample.header(), sample.describe('shop/web-1/any')]));
  for (const flags of [
    EPB_FLAG.inbound | EPB_FLAG.unicast,
    EPB_FLAG.inbound | EPB_FLAG.promiscuous,
    EPB_FLAG.outbound,
    0,
  ]) {
    const block = new Uint8Array(enhancedPacketBytes(frame.length, flags !== 0));
    writeEnhancedPacket(block, new DataView(block.buffer), 0, 0, 1, 2, frame.length, frame.length, flags, frame, 0);
    source.push(block);
  }
  merge.flush();
  expect(written).toBe(4);
  expect(seen).toEqual(['shop/web-1 10.0.0.1', 'shop/web-1 10.0.0.1']);
  expect(called).toEqual(['shop/web-1 10.0.0.2', 'shop/web-1 10.0.0.2']);
});
