import type { StreamProtocol } from '../protocol.ts';
import { TlsConnection } from './connection.ts';
import { TLS_FIELDS } from './fields.ts';
import { helloLikeness } from './probe.ts';

/** TLS and SSL 3.0: handshakes and alerts (RFC 8446, 5246, 6066, 7301). */
export const tls: StreamProtocol = {
  name: 'tls',
  title: 'TLS',
  ports: [443, 8443, 6443, 9443, 465, 636, 853, 993, 995],
  fields: TLS_FIELDS,
  probe: helloLikeness,
  create: (context) => new TlsConnection(context),
};

/**
 * TLS that a protocol has begun inside its own connection.
 * @param carried goes on reading that protocol where the data can be decrypted
 */
export function tlsCarrying(carried: StreamProtocol['create']): StreamProtocol {
  return { ...tls, create: (context) => new TlsConnection(context, carried) };
}
