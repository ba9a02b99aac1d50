import { pcapFileHeader } from '../../src/wire/pcap-write.ts';
import { A, AAAA, message, NXDOMAIN, question, record } from '../analyze/protocols/dns/messages.ts';
import { BUILT_EPOCH_NS } from '../support/built-capture.ts';
import { datagramFrame } from '../support/built-datagrams.ts';

const SERVFAIL = 2;

/** Bytes of a pcap file's header, and of a record's. */
const FILE_HEADER = 24;
const RECORD_HEADER = 16;

/** What a resolver does for one call of getaddrinfo: it asks for A and AAAA at once, from one socket. */
export interface Lookup {
  /** Last bytes of the addresses of who asks and of who is asked. */
  readonly client: number;
  readonly server: number;
  /** What is asked for, one after the other until one is there. */
  readonly names: readonly string[];
  /** How the last of the names is answered; those before do not exist. */
  readonly end:
    | 'found'
    | 'missing'
    | 'failed'
    | 'unanswered'
    | 'rejected'
    | 'half answered'
    | 'half answered late'
    | 'answered twice';
  /** Last byte of the address that it is given. */
  readonly address: number;
  /** Milliseconds from a query to its response. */
  readonly took: number;
  /** The client's port; one of its own where it is left out. */
  readonly port: number | undefined;
}

const ORDINARY: Lookup = {
  client: 1,
  server: 53,
  names: ['web.shop.svc.cluster.local'],
  end: 'found',
  address: 2,
  took: 0.4,
  port: undefined,
};

interface Frame {
  /** Milliseconds since the capture's beginning. */
  readonly at: number;
  readonly bytes: Buffer;
}

/**
 * A pcap file of lookups.
 * @param every milliseconds from one to the next @param clientPorts ports come again after so many
 */
export function lookupsFile(
  count: number,
  of: (index: number) => Partial<Lookup>,
  { every = 40, clientPorts = 20_000 } = {},
): Buffer {
  const frames = Array.from({ length: count }, (_, index) =>
    framesOf({ ...ORDINARY, ...of(index) }, index, 5 + index * every, 30_000 + (index % clientPorts)),
  );
  return pcapOf(frames.flat());
}

/** Packets of several pcap files, in their order. */
export function merged(...files: readonly Buffer[]): Buffer {
  const records = files.flatMap((file) => {
    const all: Buffer[] = [];
    for (let at = FILE_HEADER; at < file.length; ) {
      const end = at + RECORD_HEADER + file.readUInt32LE(at + 8);
      all.push(file.subarray(at, end));
      at = end;
    }
    return all;
  });
  const timeOf = (each: Buffer) => each.readUInt32LE(0) * 1e9 + each.readUInt32LE(4);
  records.sort((one, other) => timeOf(one) - timeOf(other));
  return Buffer.concat([files[0]?.subarray(0, FILE_HEADER) ?? Buffer.alloc(0), ...records]);
}

function framesOf(lookup: Lookup, index: number, start: number, ownPort: number): Frame[] {
  const { names, end, took } = lookup;
  const frames: Frame[] = [];
  let at = start;
  const send = (side: 0 | 1, payload: Uint8Array, later: number) =>
    void frames.push({ at: at + later, bytes: frameOf(lookup, lookup.port ?? ownPort, side, payload, index) });
  for (const [number, name] of names.entries()) {
    const isLast = number === names.length - 1;
    for (const type of [A, AAAA]) {
      const id = (index * 8 + number * 2 + (type === A ? 0 : 1)) & 0xffff;
      const asked = message({ id, questions: [question(name, type)] });
      const gap = type === A ? 0 : 0.05;
      const lasts = took + jitter(index * 7 + number * 2 + type);
      const answer = answerOf(lookup, id, name, type, isLast);
      send(0, asked, gap);
      if (isLast && end === 'unanswered') continue;
      if (isLast && end === 'rejected') {
        const about = frames.at(-1)?.bytes ?? Buffer.alloc(0);
        frames.push({
          at: at + gap + 0.3,
          bytes: addressed(lookup, 1, datagramFrame({ side: 1, payload: '', about })),
        });
        continue;
      }
      if (isLast && type === AAAA && end === 'half answered') continue;
      if (isLast && type === AAAA && end === 'half answered late') {
        send(0, asked, gap + 2_500);
        send(1, answer, gap + 2_500 + lasts);
        continue;
      }
      send(1, answer, gap + lasts);
      if (isLast && end === 'answered twice') send(1, answer, gap + lasts + 1);
    }
    at += took + 1;
  }
  return frames;
}

function answerOf({ end, address }: Lookup, id: number, name: string, type: number, isLast: boolean): Uint8Array {
  const rcode = !isLast || end === 'missing' ? NXDOMAIN : end === 'failed' ? SERVFAIL : 0;
  const data = type === A ? [10, 0, 0, address] : [...new Array<number>(15).fill(0), address];
  // Of most Services in a cluster there is no address of IPv6.
  const answers = rcode === 0 && type === A ? [record(type, data)] : [];
  return message({ id, flags: 0x8180 | rcode, questions: [question(name, type)], answers });
}

function frameOf(lookup: Lookup, port: number, side: 0 | 1, payload: Uint8Array, index: number): Buffer {
  const built = datagramFrame({ side, payload, port: 53, identification: (index % 60_000) + 1 });
  built.writeUInt16BE(port, side === 0 ? 34 : 36);
  return addressed(lookup, side, built);
}

function addressed({ client, server }: Lookup, side: 0 | 1, frame: Buffer): Buffer {
  frame[side === 0 ? 29 : 33] = client;
  frame[side === 0 ? 33 : 29] = server;
  return frame;
}

function pcapOf(frames: readonly Frame[]): Buffer {
  const records = [...frames]
    .sort((one, other) => one.at - other.at)
    .flatMap(({ at, bytes }) => {
      const header = Buffer.alloc(RECORD_HEADER);
      const time = BUILT_EPOCH_NS + BigInt(Math.round(at * 1e6));
      header.writeUInt32LE(Number(time / 1_000_000_000n), 0);
      header.writeUInt32LE(Number(time % 1_000_000_000n), 4);
      header.writeUInt32LE(bytes.length, 8);
      header.writeUInt32LE(bytes.length, 12);
      return [header, bytes];
    });
  return Buffer.concat([pcapFileHeader(1, 262_144), ...records]);
}

/** Times of real programs differ by as much, milliseconds. */
function jitter(index: number): number {
  return (Math.imul(index + 1, 0x9e37_79b1) >>> 0) / 2 ** 32 / 2;
}
