import type { Fields } from '../../record/event.ts';

/** A service mesh's own TLS, as its proxies speak it with one another. */
export interface MeshTls {
  /** `Istio`, `Linkerd`, `HBONE` (of Istio's ambient mode). */
  readonly mesh: 'Istio' | 'Linkerd' | 'HBONE';
  /** The Service that is called: `web.shop`; undefined where its name does not show one. */
  readonly service: string | undefined;
  /** What is called, for people: `web.shop:80`, the service account that the server must have, or another name. */
  readonly called: string | undefined;
}

/** `Istio mTLS`; what HBONE carries is in a tunnel. */
export function meshText({ mesh }: MeshTls): string {
  return mesh === 'HBONE' ? mesh : `${mesh} mTLS`;
}

/** Protocols that only Istio's proxies offer (ALPN): with HTTP, TCP, and metadata of the peer before TCP. */
const ISTIO_PROTOCOL = /^istio(?:-peer-exchange|-h2|-http\/1\.[01])?$/;
/** `outbound_.80_.v1_.web.shop.svc.cluster.local`: direction, port, subset, host. */
const ISTIO_NAME = /^(?:outbound|inbound)_\.(\d{1,5})_\.([^.]*)_\.(.+)$/;
/** A Service's name within any cluster domain. */
const SERVICE_NAME = /^([a-z0-9-]+)\.([a-z0-9-]+)\.svc(?:\.|$)/;

/** What Linkerd's proxies offer where the server's proxy takes connections for several ports. */
const LINKERD_PROTOCOL = 'transport.l5d.io/v1';
/** `web.shop.serviceaccount.identity.linkerd.cluster.local`: service account, namespace, control plane's namespace, trust domain. */
const LINKERD_NAME = /^([a-z0-9.-]+)\.([a-z0-9-]+)\.serviceaccount\.identity\.[a-z0-9-]+\.[a-z0-9.-]+$/;

/** Of a host's name (RFC 1035, section 2.3.4). */
const NAME_MAXIMUM = 255;

/** Where ztunnel and waypoints take HTTP CONNECT in mTLS (HBONE). */
const HBONE_PORT = 15_008;

/**
 * Which mesh's proxies begin a TLS connection, by its ClientHello; undefined where that does not show it.
 * @param alpn protocols that the client offers @param sni the server's name that it asks for, in any case
 */
export function meshOf(alpn: readonly string[], sni: string | undefined, serverPort: number): MeshTls | undefined {
  const name = sni === undefined || sni.length > NAME_MAXIMUM ? '' : sni.toLowerCase();
  const istio = ISTIO_NAME.exec(name);
  if (istio !== null) {
    const [, port, subset, host = ''] = istio;
    const service = SERVICE_NAME.exec(host);
    const known = service === null ? undefined : `${service[1]}.${service[2]}`;
    const behind = subset === '' ? '' : ` subset ${subset}`;
    return { mesh: 'Istio', service: known, called: `${known ?? host}:${port}${behind}` };
  }
  if (alpn.some((offered) => ISTIO_PROTOCOL.test(offered))) return { mesh: 'Istio', service: undefined, called: sni };
  const linkerd = LINKERD_NAME.exec(name);
  if (linkerd !== null || alpn.includes(LINKERD_PROTOCOL)) {
    const account = linkerd === null ? sni : `service account ${linkerd[1]}.${linkerd[2]}`;
    return { mesh: 'Linkerd', service: undefined, called: account };
  }
  // A port alone shows nothing; HTTP/2 and nothing else is offered by few.
  const isHbone = serverPort === HBONE_PORT && alpn.length === 1 && alpn[0] === 'h2';
  return isHbone ? { mesh: 'HBONE', service: undefined, called: sni } : undefined;
}

/** The identity (SPIFFE ID) in a peer's certificate. */
export function spiffeId(certificates: readonly Fields[] | undefined): string | undefined {
  const names = certificates?.[0]?.names;
  if (!Array.isArray(names)) return undefined;
  return names.find((name): name is string => typeof name === 'string' && name.startsWith('spiffe://'));
}
