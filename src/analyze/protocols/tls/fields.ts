import type { FieldTable } from '../protocol.ts';

/** The `tls` part of the JSON, of TLS and of QUIC. */
export const TLS_FIELDS: FieldTable = {
  'tls.sni': { type: 'string', about: 'server name that the client asked for' },
  'tls.mesh': {
    type: 'string',
    about:
      "service mesh whose proxies speak it, by the protocols and the name in the ClientHello: `Istio`, `Linkerd`, `HBONE` (Istio's ambient mode)",
  },
  'tls.service': {
    type: 'string',
    about: "Service that a mesh's proxy calls, by the name in the ClientHello: `web.shop`",
  },
  'tls.identity': {
    type: 'string',
    about: "SPIFFE ID in the server's certificate (TLS <= 1.2, or decrypted): `spiffe://cluster.local/ns/shop/sa/web`",
  },
  'tls.clientIdentity': { type: 'string', about: "SPIFFE ID in the client's certificate (TLS <= 1.2, or decrypted)" },
  'tls.version': { type: 'string', about: 'version agreed on: `TLS1.3`' },
  'tls.alpn': {
    type: 'string',
    about:
      'application protocol agreed on, `h2`; where that is encrypted (TLS 1.3, without its keys) or no answer came: those offered, `h2,http/1.1`',
  },
  'tls.cipher': { type: 'string', about: 'cipher suite agreed on: `TLS_AES_128_GCM_SHA256`' },
  'tls.ja4': { type: 'string', about: "the client's fingerprint (JA4)" },
  'tls.resumed': { type: 'bool', about: 'an earlier session goes on, or a pre-shared key is used' },
  'tls.helloRetry': { type: 'bool', about: 'the server asked for another ClientHello' },
  'tls.clientAuth': {
    type: 'string',
    about: "the client's certificate was `requested` or `given` (TLS <= 1.2, or decrypted)",
  },
  'tls.failure': {
    type: 'string',
    about:
      'why the handshake failed: an alert, `closed`, `reset`, `no answer`, `answer is not TLS`, `closed after expired certificate`, `closed after certificate for another name`',
  },
  'tls.alert': { type: 'string', about: 'alert that was sent, or that ended the handshake: `unknown_ca`' },
  'tls.alertLevel': { type: 'string', about: '`warning` or `fatal`, of an alert' },
  'tls.alpnOffered': { type: 'list', about: 'application protocols that the client offered' },
  'tls.supportedVersions': { type: 'list', about: 'versions that the client offered' },
  'tls.earlyData': { type: 'bool', about: 'the client sent data with its first flight (0-RTT)' },
  'tls.encryptedClientHello': { type: 'bool', about: 'the server name may be another, encrypted one' },
  'tls.notAfter': {
    type: 'timestamp',
    about: "end of the validity of the server's certificate (TLS <= 1.2, or decrypted)",
  },
  'tls.certificates': {
    type: 'list',
    about:
      "the server's certificates (TLS <= 1.2, or decrypted): `subject`, `issuer`, `notBefore`, `notAfter`, `names`, `serial`",
  },
  'tls.clientCertificates': { type: 'list', about: "the client's certificates (TLS <= 1.2, or decrypted)" },
};
