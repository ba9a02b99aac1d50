import { http2 } from '../http2/index.ts';
import type { StreamProtocol } from '../protocol.ts';
import { webSocket } from '../websocket.ts';

/** What an Upgrade field may name (IANA, "HTTP Upgrade Tokens"), and who decodes it. */
const UPGRADES: Readonly<Record<string, StreamProtocol>> = { h2c: http2, websocket: webSocket };

/** The protocol an Upgrade field's value leads to; undefined when none here decodes it. */
export function upgradeOf(token: string): StreamProtocol | undefined {
  return Object.hasOwn(UPGRADES, token) ? UPGRADES[token] : undefined;
}
