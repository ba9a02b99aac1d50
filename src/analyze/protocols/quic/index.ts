import type { DatagramProtocol } from '../protocol.ts';
import { TLS_FIELDS } from '../tls/fields.ts';
import { Quic } from './analyzer.ts';
import { quicLikeness } from './probe.ts';

/** QUIC (RFC 9000, 9001, 9369): handshakes, with the ClientHello and ServerHello in its Initial packets; with keys, HTTP/3. */
export const quic: DatagramProtocol = {
  name: 'quic',
  title: 'QUIC',
  ports: [443, 8443, 853],
  fields: {
    'quic.version': { type: 'string', about: 'version that is spoken: `1`, `2`, `draft-29`' },
    'quic.dcid': { type: 'string', about: "destination connection id of the client's first packet, hexadecimal" },
    'quic.scid': { type: 'string', about: "the client's connection id, hexadecimal" },
    'quic.retry': { type: 'bool', about: 'the server had the client show that it has its address' },
    'quic.error': { type: 'string', about: 'why it was closed: `no_application_protocol`' },
    'quic.versions': { type: 'list', about: 'versions that the server offered, of a Version Negotiation' },
    ...TLS_FIELDS,
  },
  probe: quicLikeness,
  create: (context) => new Quic(context),
};
