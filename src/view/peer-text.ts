import type { PeerRecord } from '../analyze/record/record.ts';

/** The name of a peer: `shop/web-1`, `web.shop`, `db.example.com`, `worker-1`; undefined for a bare address. Not sanitised. */
export function peerName(peer: PeerRecord): string | undefined {
  const { pod, service, namespace, name, node } = peer;
  if (pod !== undefined) return namespace === undefined ? pod : `${namespace}/${pod}`;
  if (service !== undefined) return namespace === undefined ? service : `${service}.${namespace}`;
  return name ?? node;
}

/** `10.0.0.1:80`, `[fd00::1]:80`, `10.0.0.1`, `02:00:00:00:00:01`, or `?` without an address. */
export function addressOf(peer: PeerRecord): string {
  const { ip, port, mac } = peer;
  if (ip === undefined) return mac ?? '?';
  if (port === undefined) return ip;
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}
