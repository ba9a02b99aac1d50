import { once } from 'node:events';
import {
  type AddressInfo,
  connect as connectPlain,
  createServer as createPlainServer,
  type Server,
  type Socket,
} from 'node:net';
import type { Duplex } from 'node:stream';
import { connect, createServer, type SecureVersion, type TLSSocket } from 'node:tls';
import { SIDE, type Side } from '../../../../../src/analyze/record/event.ts';
import { issue, makeAuthority } from '../../../../support/certificates.ts';

/** Bytes of one side, in the order in which they were sent. */
export type RecordedStep = readonly [side: Side, bytes: Buffer];

/** What two real TLS peers (Node's, that is OpenSSL) sent each other. */
export interface Recorded {
  readonly steps: readonly RecordedStep[];
  /** What the client wrote to its key log. */
  readonly keyLog: string;
}

export interface TlsPeers {
  readonly version: SecureVersion;
  readonly ciphers?: string;
  /** The client shows a certificate. */
  readonly clientCertificate?: boolean;
  /** Bytes of content that a record of the server has at most (512 to 16384); 16384 unless set. */
  readonly fragment?: number;
  /** Of TLS 1.3: the client says nothing before it has the server's first session ticket, the server's first record under the keys of the data. */
  readonly ticketsFirst?: boolean;
  /** The server's certificate: of the name web.shop, until it expires. */
  readonly certificateUntil?: Date;
}

export interface TlsTalk extends TlsPeers {
  /** What the client says, and what the server answers to it, one after the other. */
  readonly talk: readonly (readonly [request: string, response: string])[];
}

const authority = makeAuthority('test');
const DAY_MS = 86_400_000;
const NAMED = { name: 'web.shop', hosts: ['web.shop'] };
const server = issue(authority, NAMED);
const client = issue(authority, { name: 'cart' });

/** Let two peers talk through TLS, over sockets of the loopback. */
export function recordTls({ talk, ...peers }: TlsTalk): Promise<Recorded> {
  return recordSteps(
    peers,
    talk.flatMap(([request, response]) => [
      [SIDE.client, Buffer.from(request)] as const,
      [SIDE.server, Buffer.from(response)] as const,
    ]),
  );
}

/** Let two peers send each other `said` through TLS, over sockets of the loopback. @param said by one side after the other: each waits until all before it has arrived */
export async function recordSteps(peers: TlsPeers, said: readonly RecordedStep[]): Promise<Recorded> {
  const { version, ciphers, clientCertificate, fragment, certificateUntil: until, ticketsFirst } = peers;
  const shown =
    until === undefined ? server : issue(authority, { ...NAMED, from: new Date(until.getTime() - DAY_MS), until });
  const steps: RecordedStep[] = [];
  let keyLog = '';
  const common = {
    minVersion: version,
    maxVersion: version,
    ...(ciphers === undefined ? {} : { ciphers: version === 'TLSv1.3' ? ciphers : `${ciphers}:@SECLEVEL=0` }),
  };
  const listener = createServer({
    ...common,
    cert: shown.certificate,
    key: shown.key,
    requestCert: clientCertificate === true,
    rejectUnauthorized: false,
  });
  const relay = createRelay(() => (listener.address() as AddressInfo).port, steps);
  const accepting = once(listener, 'secureConnection');
  listener.listen(0, '127.0.0.1');
  relay.listen(0, '127.0.0.1');
  await Promise.all([once(listener, 'listening'), once(relay, 'listening')]);
  const opened = connect({
    ...common,
    ...(clientCertificate === true ? { cert: client.certificate, key: client.key } : {}),
    host: '127.0.0.1',
    port: (relay.address() as AddressInfo).port,
    servername: 'web.shop',
    ca: authority.certificate,
    rejectUnauthorized: until === undefined,
  });
  opened.on('keylog', (line) => {
    keyLog += line.toString('latin1');
  });
  const ticket = ticketsFirst === true ? once(opened, 'session') : undefined;
  await once(opened, 'secureConnect');
  await ticket;
  const [accepted] = (await accepting) as [TLSSocket];
  if (fragment !== undefined) accepted.setMaxSendFragment(fragment);
  for (const [side, bytes] of said) {
    await (side === SIDE.client ? send(opened, accepted, bytes) : send(accepted, opened, bytes));
  }
  opened.end();
  await once(opened, 'close');
  listener.close();
  relay.close();
  return { steps, keyLog };
}

/** Passes bytes on between a client and the server at `port`, and notes them. */
export function createRelay(port: () => number, steps: RecordedStep[]): Server {
  return createPlainServer((from) => {
    const to = connectPlain(port(), '127.0.0.1');
    pass(from, to, SIDE.client, steps);
    pass(to, from, SIDE.server, steps);
  });
}

function pass(from: Socket, to: Socket, side: Side, steps: RecordedStep[]): void {
  from.on('data', (bytes: Buffer) => {
    steps.push([side, bytes]);
    if (to.writable) to.write(bytes);
  });
  from.on('end', () => to.end());
  // A peer may reset when it has all it wanted.
  from.on('error', () => to.destroy());
}

async function send(from: Duplex, to: Duplex, bytes: Buffer): Promise<void> {
  let had = 0;
  const arrived = new Promise<void>((resolve) => {
    const take = (part: Buffer) => {
      had += part.length;
      if (had < bytes.length) return;
      to.off('data', take);
      resolve();
    };
    to.on('data', take);
  });
  from.write(bytes);
  await arrived;
}
