import { http2 } from '../http2/index.ts';
import type { StreamProtocol } from '../protocol.ts';
import { webSocket } from '../websocket.ts';

/** The token of an upgrade to HTTP/2 (RFC 7540, section 3.2). */
export const UPGRADE_HTTP2 = 'h2c';

/** What an Upgrade field may name (IANA, "HTTP Upgrade Tokens"), and who decodes it. */
const UPGRADES: Readonly<Record<string, StreamProtocol>> = { [UPGRADE_HTTP2]: http2, websocket: webSocket };

/** The protocol an Upgrade field's value leads to; undefined when none here decodes it. */
export function upgradeOf(token: string): StreamProtocol | undefined {
  return Object.hasOwn(UPGRADES, token) ? UPGRADES[token] : undefined;
}
