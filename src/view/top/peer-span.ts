import type { PeerRecord } from '../../analyze/record/record.ts';
import { addressOf, peerName } from '../peer-text.ts';
import { LOOK, type Span, span } from './line.ts';

/** A peer, in a column: its name (a server's with the port), else the address. */
export function peerSpan(peer: PeerRecord | undefined, isServer: boolean): Span {
  if (peer === undefined) return span('?');
  const name = peerName(peer);
  if (name === undefined) return span(addressOf(peer));
  return span(isServer && peer.port !== undefined ? `${name}:${peer.port}` : name, LOOK.name);
}

/** A peer with its name and address: `shop/web-1 (10.244.1.5:80)`. */
export function peerFull(peer: PeerRecord | undefined): string {
  if (peer === undefined) return '?';
  const name = peerName(peer);
  return name === undefined ? addressOf(peer) : `${name} (${addressOf(peer)})`;
}
