import { CaptureFramer } from '../../src/wire/capture-read.ts';
import {
  enhancedPacketBytes,
  interfaceDescription,
  sectionHeader,
  writeEnhancedPacket,
} from '../../src/wire/pcapng-write.ts';

/** How the connections of `churn` reach their servers. */
export interface Way {
  /** The port of the Service; servers listen at 80. */
  readonly servicePort?: number;
  /** Whether a connection goes to its pod from the pod's own node, without the Service, as kubelet's probes do. */
  readonly isProbe?: (clientPort: number) => boolean;
  /** Whether the client's packets of a connection are lost before they reach the server's node. */
  readonly isLost?: (clientPort: number) => boolean;
}

/** The Service's address, 10.96.0.10. */
const SERVICE = [10, 96, 0, 10] as const;

const CLIENT_PLACE = 0;
const INBOUND = 1;
const OUTBOUND = 2;

/** From one node to another, ns. */
const LATENCY_NS = 50_000n;

/** Offsets in Ethernet frames of IPv4 without options. */
const SOURCE_AT = 26;
const DESTINATION_AT = 30;
const PORTS_AT = 34;

interface Placed {
  readonly place: number;
  readonly time: bigint;
  readonly frame: Buffer;
  readonly flags: number;
}

/**
 * The packets of `churn` as two nodes or more capture them: at the client's pod, where they go to a Service, and at the server's pod, at its
 * own address. Servers are node-2, node-3 … by the last byte of their addresses; the client's node is node-1.
 * @param file of `churn`
 */
export function places(file: Uint8Array, { servicePort = 80, isProbe, isLost }: Way = {}): Uint8Array {
  const placed: Placed[] = [];
  const servers = new Set<number>();
  const framer = new CaptureFramer({
    interface: () => {},
    packet: (bytes, offset, caplen, _origlen, timeHigh, timeLow) => {
      const frame = Buffer.from(bytes.subarray(offset, offset + caplen));
      const time = (BigInt(timeHigh >>> 0) << 32n) | BigInt(timeLow >>> 0);
      const isFromClient = frame.readUInt16BE(PORTS_AT + 2) === 80;
      const clientPort = frame.readUInt16BE(isFromClient ? PORTS_AT : PORTS_AT + 2);
      const place = frame.readUInt8(isFromClient ? DESTINATION_AT + 3 : SOURCE_AT + 3) - 1;
      servers.add(place);
      const atServer = { place, time, frame, flags: isFromClient ? INBOUND : OUTBOUND };
      if (isProbe?.(clientPort) === true) {
        placed.push(atServer);
        return;
      }
      const translated = Buffer.from(frame);
      translated.set(SERVICE, isFromClient ? DESTINATION_AT : SOURCE_AT);
      translated.writeUInt16BE(servicePort, isFromClient ? PORTS_AT + 2 : PORTS_AT);
      placed.push({
        place: CLIENT_PLACE,
        time: isFromClient ? time - LATENCY_NS : time + LATENCY_NS,
        frame: translated,
        flags: isFromClient ? OUTBOUND : INBOUND,
      });
      if (isLost?.(clientPort) !== true) placed.push(atServer);
    },
  });
  framer.push(file);
  const interfaces = [
    described('shop/client-1/any', 1),
    ...Array.from({ length: Math.max(...servers) }, (_, index) => described(`shop/web-${index + 1}/any`, index + 2)),
  ];
  placed.sort((one, two) => Number(one.time - two.time));
  return Buffer.concat([sectionHeader('Linux'), ...interfaces, ...placed.map(packetBlock)]);
}

function described(name: string, node: number): Uint8Array {
  return interfaceDescription({ linkType: 1, snaplen: 262_144, name, description: `node=node-${node}` });
}

function packetBlock({ place, time, frame, flags }: Placed): Uint8Array {
  const block = new Uint8Array(enhancedPacketBytes(frame.length, true));
  const view = new DataView(block.buffer);
  const [high, low] = [Number(time >> 32n), Number(time & 0xffff_ffffn)];
  writeEnhancedPacket(block, view, 0, place, high, low, frame.length, frame.length, flags, frame, 0);
  return block;
}
