/** Words for ICMP types and codes, as tcpdump and the RFCs have them. */

/** RFC 792, 1122, 1812, 8335. */
const ICMP_TYPES: Readonly<Record<number, string>> = {
  0: 'echo reply',
  3: 'unreachable',
  4: 'source quench',
  5: 'redirect',
  8: 'echo request',
  9: 'router advertisement',
  10: 'router solicitation',
  11: 'time exceeded',
  12: 'parameter problem',
  13: 'timestamp request',
  14: 'timestamp reply',
  17: 'address mask request',
  18: 'address mask reply',
  42: 'extended echo request',
  43: 'extended echo reply',
};

const UNREACHABLE_CODES = [
  'network',
  'host',
  'protocol',
  'port',
  'fragmentation needed',
  'source route failed',
  'network unknown',
  'host unknown',
  'source host isolated',
  'network prohibited',
  'host prohibited',
  'network for this service',
  'host for this service',
  'administratively prohibited',
  'host precedence violation',
  'precedence cutoff',
] as const;

/** RFC 4443, 4861, 2710, 3810, 8335. */
const ICMPV6_TYPES: Readonly<Record<number, string>> = {
  1: 'unreachable',
  2: 'packet too big',
  3: 'time exceeded',
  4: 'parameter problem',
  128: 'echo request',
  129: 'echo reply',
  130: 'multicast listener query',
  131: 'multicast listener report',
  132: 'multicast listener done',
  133: 'router solicitation',
  134: 'router advertisement',
  135: 'neighbor solicitation',
  136: 'neighbor advertisement',
  137: 'redirect',
  143: 'multicast listener report v2',
  160: 'extended echo request',
  161: 'extended echo reply',
};

const UNREACHABLE_CODES_V6 = [
  'no route',
  'administratively prohibited',
  'beyond scope',
  'address',
  'port',
  'source address policy',
  'route rejected',
] as const;

const EXCEEDED_CODES = ['in transit', 'in reassembly'] as const;

/** `unreachable port`, `echo request`, `type 200 code 3`. */
export function icmpText(version: number, type: number, code: number): string {
  const words = (version === 4 ? ICMP_TYPES : ICMPV6_TYPES)[type];
  if (words === undefined) return `type ${type} code ${code}`;
  const codes = codeWords(version, type);
  if (codes === undefined) return code === 0 ? words : `${words} code ${code}`;
  return `${words} ${codes[code] ?? `code ${code}`}`;
}

function codeWords(version: number, type: number): readonly string[] | undefined {
  if (type === (version === 4 ? 3 : 1)) return version === 4 ? UNREACHABLE_CODES : UNREACHABLE_CODES_V6;
  return type === (version === 4 ? 11 : 3) ? EXCEEDED_CODES : undefined;
}

/** Whether its four bytes behind the checksum are an identifier and a sequence number. */
export function isEcho(version: number, type: number): boolean {
  return version === 4 ? type === 0 || type === 8 : type === 128 || type === 129;
}
