import type { Fields, FieldValue } from '../../record/event.ts';
import { fieldsIn, textIn } from '../../record/field-values.ts';

/** Why a client that verifies a certificate rejects it, as the status of a handshake has it (UNUSED_STATUS). */
export type Misfit = 'expired' | 'other name';

/** Status of a complete handshake after which the client sent nothing and closed, by what is wrong with the certificate. */
export const UNUSED_STATUS: Readonly<Record<Misfit, string>> = {
  expired: 'closed after expired certificate',
  'other name': 'closed after certificate for another name',
};

/** What is wrong with a certificate where a status says so (UNUSED_STATUS); undefined for another status. */
export function misfitOf(status: string): Misfit | undefined {
  if (status === UNUSED_STATUS.expired) return 'expired';
  return status === UNUSED_STATUS['other name'] ? 'other name' : undefined;
}

/**
 * Whether the server's own certificate had expired, or is for other names than the one asked for; undefined where neither
 * is known. @param sni empty for none @param at ms since 1970; NaN where that is not known
 */
export function certificateMisfit(
  certificates: readonly Fields[] | undefined,
  sni: string,
  at: number,
): Misfit | undefined {
  if (Date.parse(textIn(certificates?.[0]?.notAfter)) < at) return 'expired';
  return isForOthers(namesOf(certificates), sni) ? 'other name' : undefined;
}

/** Whether a certificate has names, and none covers a host name. @param names, host in lower case; `host` empty for none */
export function isForOthers(names: readonly string[], host: string): boolean {
  return host !== '' && names.length > 0 && !names.some((name) => isFor(name, host));
}

/** Whether a certificate's name covers a host name (RFC 6125, section 6.4.3). */
function isFor(name: string, host: string): boolean {
  if (name === host) return true;
  return name.startsWith('*.') && host.slice(host.indexOf('.') + 1) === name.slice(2) && host.includes('.');
}

/** The names of hosts in the server's own certificate, in lower case; URIs, such as a SPIFFE ID, are none. */
export function namesOf(certificates: FieldValue | undefined): string[] {
  const [own] = Array.isArray(certificates) ? certificates : [];
  const names = fieldsIn(own)?.names;
  if (!Array.isArray(names)) return [];
  return names.flatMap((name) => (typeof name === 'string' && !name.includes('://') ? [name.toLowerCase()] : []));
}
