import { behindSidecar } from '../identity/sidecar-address.ts';
import type { Fields } from '../record/event.ts';
import { fieldsIn, textIn } from '../record/field-values.ts';

/**
 * Who answers where that is not the server that a connection leads to, for people: what a tunnel through a proxy leads to (HTTP
 * CONNECT, SOCKS), or the program of a pod that is asked by its own sidecar. Undefined where it is the server.
 * @param server as serverOf has it @param isBySidecar the connection's client is the sidecar of the server's own pod
 */
export function answererOf(server: string, fields: Fields, isBySidecar: boolean): string | undefined {
  const target = fieldsIn(fields.connect) ?? fieldsIn(fields.socks);
  const host = textIn(target?.host);
  if (target !== undefined && host !== '') {
    const port = typeof target.port === 'number' ? `:${target.port}` : '';
    return `${host.includes(':') ? `[${host}]` : host}${port} through ${server}`;
  }
  return isBySidecar ? behindSidecar(server) : undefined;
}
