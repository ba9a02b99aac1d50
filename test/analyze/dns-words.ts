import type { Fields } from '../../src/analyze/record/event.ts';
import type { MessageFrame } from '../oracle/tshark-traffic.ts';
import { quoted, text } from './message-words.ts';

const RCODES = 'NOERROR FORMERR SERVFAIL NXDOMAIN NOTIMP REFUSED YXDOMAIN YXRRSET NXRRSET NOTAUTH NOTZONE'.split(' ');

/** Of EDNS' codes, of which ksnoop tells the whole, what the header says: the lower four bits (RFC 6891, RFC 7873). */
const EXTENDED: Readonly<Record<string, string>> = { BADVERS: 'NOERROR', BADSIG: 'NOERROR', BADCOOKIE: 'YXRRSET' };

/** An rcode by name, as the header has it. */
export function basicRcode(rcode: string): string {
  return EXTENDED[rcode] ?? rcode;
}

/** RFC 1035 and its successors, the usual ones; others by number. */
const TYPES: Readonly<Record<string, string>> = {
  ...{ 1: 'A', 2: 'NS', 5: 'CNAME', 6: 'SOA', 12: 'PTR', 13: 'HINFO', 15: 'MX', 16: 'TXT', 28: 'AAAA', 33: 'SRV' },
  ...{
    11: 'WKS',
    29: 'LOC',
    30: 'NXT',
    44: 'SSHFP',
    51: 'NSEC3PARAM',
    99: 'SPF',
    249: 'TKEY',
    250: 'TSIG',
    256: 'URI',
  },
  ...{ 35: 'NAPTR', 43: 'DS', 46: 'RRSIG', 47: 'NSEC', 48: 'DNSKEY', 52: 'TLSA', 64: 'SVCB', 65: 'HTTPS' },
  ...{ 251: 'IXFR', 252: 'AXFR', 255: 'ANY', 257: 'CAA' },
};

/** DNS messages (and its relatives') of a frame with one question each; quoted ones left out. */
export function dnsOf(frame: MessageFrame, response: readonly string[]): { question: string; rcode: string }[] {
  if (quoted(frame) || !/:(?:dns|mdns|llmnr)(?::|$)/.test(frame.last('frame.protocols'))) return [];
  const ids = frame.all('dns.id');
  const names = frame.all('dns.qry.name');
  const types = frame.all('dns.qry.type');
  const answers = frame.all('dns.flags.response');
  if (names.length !== ids.length || types.length !== ids.length) return [];
  const rcodes = [...frame.all('dns.flags.rcode')];
  return ids.flatMap((id, at) => {
    const isResponse = answers[at] === 'True' || answers[at] === '1';
    const rcode = isResponse ? rcodes.shift() : undefined;
    if (!response.includes(answers[at] ?? '')) return [];
    const name = names[at] === '<Root>' ? '' : (names[at] ?? '');
    const type = TYPES[types[at] ?? ''] ?? `TYPE${types[at]}`;
    return [{ question: `${Number(id)} ${dnsName(name)} ${type}`, rcode: RCODES[Number(rcode)] ?? text(rcode) }];
  });
}

/** A question in words both would use: id, name, type. */
export function dnsQuestion(dns: Fields): string {
  const name = text(dns.name)
    .replace(/\\\d{3}/g, '?')
    .replace(/\\(.)/g, '$1');
  return `${text(dns.id)} ${dnsName(name)} ${text(dns.type)}`;
}

/** Bytes that are no letters are shown by each in its own way, and case does not matter. */
function dnsName(name: string): string {
  return name === '.' ? '' : name.replace(/\\\d{3}|[^!-~]/g, '?').toLowerCase();
}
