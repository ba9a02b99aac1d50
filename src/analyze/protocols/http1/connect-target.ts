import type { Fields } from '../../record/event.ts';
import { maskTarget } from '../../record/secrets.ts';
import { oneLine } from '../one-line.ts';

const AUTHORITY = /^(?:\[([0-9a-fA-F:.]{2,45})\]|([^:[\]@/]{1,255})):(\d{1,5})$/;

/** Host and port of a CONNECT (RFC 9110, section 9.3.6); of another form the whole target is the host. */
export function connectTarget(target: string): Fields {
  const [, address, name, port] = AUTHORITY.exec(target) ?? [];
  const host = address ?? name;
  return host === undefined ? { host: oneLine(maskTarget(target)) } : { host: oneLine(host), port: Number(port) };
}
