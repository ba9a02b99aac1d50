import { TEXT_MAXIMUM } from '../../limits.ts';
import type { Exchange, Fields, Incomplete, Side } from '../../record/event.ts';
import { cipherSuiteName } from './cipher-suites.ts';
import type { ClientHello } from './client-hello.ts';
import { ja4 } from './ja4.ts';
import { type MeshTls, meshText, spiffeId } from './mesh.ts';
import type { ServerHello } from './server-hello.ts';
import { versionName } from './versions.ts';

/** What has been seen of one handshake. Times are NaN while they are not known. */
export class Handshake {
  client: ClientHello | undefined;
  /** Whose proxies speak it, where the ClientHello shows that. */
  mesh: MeshTls | undefined;
  server: ServerHello | undefined;
  /** First and last byte of the ClientHello; first of the server's answer. */
  time = Number.NaN;
  requestEnd = Number.NaN;
  responseTime = Number.NaN;
  helloRetry = false;
  /** The protocol agreed on in TLS 1.3, where that was decrypted. */
  alpn: string | undefined;
  /** TLS <= 1.2: an earlier session is resumed. */
  resumed = false;
  /** TLS <= 1.2: the server asked for a certificate; the client gave one. */
  clientAuth: 'requested' | 'given' | undefined;
  certificates: readonly Fields[] | undefined;
  clientCertificates: readonly Fields[] | undefined;
  /** The alert that ended it. */
  alert: string | undefined;
}

/** How a handshake ended, and with how many bytes of each side. */
export interface Outcome {
  /** When it was over; NaN when that was not seen. */
  readonly end: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** In place of the version: why it failed. */
  readonly failure: string | undefined;
  readonly incomplete: Incomplete | undefined;
  /** Who broke it off. */
  readonly endedBy: Side | undefined;
  /** Without, no latency is stated. */
  readonly timeKnown: boolean;
}

/** A handshake of TLS as an exchange. */
export function tlsExchange(handshake: Handshake, outcome: Outcome, detail: boolean): Exchange {
  const { client, server, mesh } = handshake;
  const version = server === undefined ? undefined : versionName(server.version);
  const carried = mesh === undefined ? agreedOrOffered(handshake) : meshText(mesh);
  const called = mesh?.called ?? client?.sni ?? (client === undefined ? '(ClientHello not seen)' : 'no SNI');
  const time = Number.isNaN(handshake.time) ? handshake.responseTime : handshake.time;
  const answered = !Number.isNaN(handshake.responseTime) && outcome.timeKnown;
  const label = [version ?? 'TLS', called, carried];
  return {
    kind: 'exchange',
    protocol: 'tls',
    label: label
      .filter((word) => word !== undefined)
      .join(' ')
      .slice(0, TEXT_MAXIMUM)
      .replace(/[\r\n\t]/g, ' '),
    time,
    requestEnd: Number.isNaN(handshake.requestEnd) ? time : handshake.requestEnd,
    responseTime: answered ? handshake.responseTime : undefined,
    responseEnd: answered && !Number.isNaN(outcome.end) ? outcome.end : undefined,
    requestBytes: outcome.requestBytes,
    responseBytes: outcome.responseBytes,
    endedBy: outcome.endedBy,
    status: outcome.failure ?? version ?? '',
    failed: outcome.failure !== undefined,
    route: mesh === undefined ? called : `${called} ${meshText(mesh)}`.slice(0, TEXT_MAXIMUM),
    incomplete: outcome.incomplete ?? (client === undefined ? 'request not seen' : undefined),
    fields: { tls: { ...tlsFields(handshake, 't', detail), ...(detail ? { failure: outcome.failure } : {}) } },
  };
}

/** The protocol agreed on where that is visible (TLS <= 1.2), else those offered, the preferred first. */
function agreedOrOffered({ client, server, alpn }: Handshake): string | undefined {
  if (alpn !== undefined || server?.alpn !== undefined) return alpn ?? server?.alpn;
  const visible = server !== undefined && server.version <= 0x0303;
  return visible || client === undefined || client.alpn.length === 0 ? undefined : client.alpn.join();
}

/** The `tls` part of the JSON. @param transport as in JA4 */
export function tlsFields(handshake: Handshake, transport: 't' | 'q', detail: boolean): Fields {
  const { client, server, mesh } = handshake;
  const plain = {
    sni: client?.sni,
    mesh: mesh?.mesh,
    service: mesh?.service,
    identity: spiffeId(handshake.certificates),
    clientIdentity: spiffeId(handshake.clientCertificates),
    version: server === undefined ? undefined : versionName(server.version),
    alpn: agreedOrOffered(handshake),
    notAfter: handshake.certificates?.[0]?.notAfter,
    certificates: handshake.certificates,
  };
  if (!detail) return plain;
  return {
    ...plain,
    cipher: server === undefined ? undefined : cipherSuiteName(server.cipher),
    ja4: client === undefined ? undefined : ja4(client, transport),
    resumed: server === undefined ? undefined : handshake.resumed || server.preSharedKey,
    helloRetry: handshake.helloRetry || undefined,
    clientAuth: handshake.clientAuth,
    alert: handshake.alert,
    alpnOffered: client === undefined || client.alpn.length === 0 ? undefined : client.alpn,
    supportedVersions: client === undefined ? undefined : offeredVersions(client),
    earlyData: client?.earlyData || undefined,
    encryptedClientHello: client?.encryptedHello || undefined,
    clientCertificates: handshake.clientCertificates,
  };
}

function offeredVersions(client: ClientHello): string[] {
  const { supportedVersions } = client;
  return (supportedVersions.length > 0 ? supportedVersions : [client.version]).slice(0, 16).map(versionName);
}
