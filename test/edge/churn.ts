import { type BuiltSegment, builtPcap } from '../support/built-capture.ts';
import { agentStream } from './agent-stream.ts';

/** One connection that opens, carries its requests and closes. */
export interface Connection {
  readonly requests: number;
  /** Milliseconds from a request to its response. */
  readonly took: number;
  readonly status: string;
  readonly path: string;
  readonly headers: string;
  /** `unanswered`: the SYN is sent again, and nothing comes back. */
  readonly end: 'closed' | 'reset' | 'open' | 'refused' | 'unanswered';
  /** The first request is sent twice. */
  readonly isRepeated: boolean;
  /** The last byte of the server's address. */
  readonly server: number;
}

const ORDINARY: Connection = {
  requests: 1,
  took: 3,
  status: '200 OK',
  path: '/cart',
  headers: '',
  end: 'closed',
  isRepeated: false,
  server: 2,
};

/** When a SYN is sent again, milliseconds. */
const SYN_AGAIN_MS = [1_000, 3_000, 7_000] as const;

/** As `churnFile`, as an agent would have sent it. */
export function churn(...what: Parameters<typeof churnFile>): Uint8Array {
  return agentStream(churnFile(...what));
}

/**
 * A pcap file of connections to port 80.
 * @param every milliseconds from one to the next @param clientPorts their ports come again after so many
 */
export function churnFile(
  count: number,
  of: (index: number) => Partial<Connection>,
  { every = 40, clientPorts = 200 } = {},
): Buffer {
  const all: BuiltSegment[] = [];
  const servers = new Map<number, number>();
  for (let index = 0; index < count; index += 1) {
    const { requests, took, status, path, headers, end, isRepeated, server: to } = { ...ORDINARY, ...of(index) };
    const ports = [40_000 + (index % clientPorts), 80] as const;
    servers.set(ports[0], to);
    let at = 10 + index * every + jitter(index);
    let [client, server] = [Math.imul(index, 7919), Math.imul(index, 104_729)];
    const send = (side: 0 | 1, flags: string, payload = '', later = 0.2) => {
      at += later;
      const [sequence, acknowledgment] = side === 0 ? [client, server] : [server, client];
      all.push({ side, sequence, acknowledgment, flags, payload, at, ports });
      const moved = payload.length + (/[SF]/.test(flags) ? 1 : 0);
      if (side === 0) client += moved;
      else server += moved;
    };
    send(0, 'S');
    if (end === 'unanswered') {
      for (const later of SYN_AGAIN_MS) all.push({ ...(all.at(-1) as BuiltSegment), at: at + later });
      continue;
    }
    if (end === 'refused') {
      send(1, 'R.');
      continue;
    }
    send(1, 'S.');
    send(0, '.');
    for (let number = 0; number < requests; number += 1) {
      const request = `GET ${path} HTTP/1.1\r\nHost: web\r\n${headers}\r\n`;
      send(0, 'P.', request);
      if (isRepeated && number === 0) all.push({ ...(all.at(-1) as BuiltSegment), at: at + 0.4 });
      send(1, 'P.', `HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`, took + jitter(index + number));
      send(0, '.');
    }
    if (end === 'reset') send(1, 'R.');
    if (end !== 'closed') continue;
    send(0, 'F.');
    send(1, 'F.');
    send(0, '.');
  }
  return toServers(builtPcap(all.sort((a, b) => a.at - b.at)), servers);
}

/** The file with the servers' addresses. @param servers last byte of each, by the client's port */
function toServers(file: Buffer, servers: ReadonlyMap<number, number>): Buffer {
  for (let at = 24; at < file.length; at += 16 + file.readUInt32LE(at + 8)) {
    const isFromClient = file.readUInt16BE(at + 16 + 36) === 80;
    const server = servers.get(file.readUInt16BE(at + 16 + (isFromClient ? 34 : 36)));
    file.writeUInt8(server ?? 2, at + 16 + (isFromClient ? 33 : 29));
  }
  return file;
}

/** Times of real programs differ by as much, milliseconds. */
function jitter(index: number): number {
  return (Math.imul(index + 1, 0x9e37_79b1) >>> 0) / 2 ** 32 / 2;
}
