import type { PeerRecord } from '../analyze/record/record.ts';
import { sanitise } from './sanitise.ts';

/**
 * The name of a peer: `shop/web-1`, `web.shop`, `db.example.com`, `worker-1`; undefined for a bare address. In a
 * capture of several clusters behind `CLUSTER/`. Not sanitised.
 */
export function peerName(peer: PeerRecord): string | undefined {
  const name = localName(peer);
  return name === undefined || peer.cluster === undefined ? name : `${peer.cluster}/${name}`;
}

function localName({ pod, service, namespace, name, node }: PeerRecord): string | undefined {
  if (pod !== undefined) return namespace === undefined ? pod : podName(namespace, pod);
  if (service !== undefined) return namespace === undefined ? service : `${service}.${namespace}`;
  return name ?? node;
}

/** The pod that was asked for last: events one after another often have the same client. */
let lastPod = { namespace: '', pod: '', text: '/' };

function podName(namespace: string, pod: string): string {
  if (pod !== lastPod.pod || namespace !== lastPod.namespace) lastPod = { namespace, pod, text: `${namespace}/${pod}` };
  return lastPod.text;
}

/**
 * `10.0.0.1:80`, `[fd00::1]:80`, `10.0.0.1`, `02:00:00:00:00:01`, or `?` without an address. A peer without a name has its cluster in
 * front: `staging/10.0.0.1:80`.
 */
export function addressOf(peer: PeerRecord): string {
  const { ip, port, mac, cluster } = peer;
  if (ip === undefined) return mac ?? '?';
  const host = port !== undefined && ip.includes(':') ? `[${ip}]` : ip;
  const address = port === undefined ? host : `${host}:${port}`;
  return cluster === undefined || localName(peer) !== undefined ? address : `${sanitise(cluster)}/${address}`;
}
