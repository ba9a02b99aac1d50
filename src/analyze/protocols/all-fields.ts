import { COMMON_FIELDS, EVENT_FIELDS, FLOW_FIELDS, PACKET_FIELDS } from '../record/fields.ts';
import { ICMP_FIELDS } from '../record/icmp-notice.ts';
import { DATAGRAM_PROTOCOLS, STREAM_PROTOCOLS } from './index.ts';
import type { FieldTable } from './protocol.ts';

/** A protocol's own fields, and the value of `protocol` in the records that have them. */
export interface ProtocolFields {
  readonly title: string;
  readonly records: readonly string[];
  readonly fields: FieldTable;
}

/** Every protocol's own fields, in the order of their lists; a protocol on TCP and UDP comes once. */
export function protocolFields(): readonly ProtocolFields[] {
  const all = new Map<string, ProtocolFields>();
  const take = (name: string, { title, records, fields }: ProtocolFields) => {
    all.set(name, { title, records, fields: { ...all.get(name)?.fields, ...fields } });
  };
  for (const protocol of STREAM_PROTOCOLS) take(protocol.name, { records: [protocol.name], ...protocol });
  for (const protocol of DATAGRAM_PROTOCOLS) take(protocol.name, { records: [protocol.name], ...protocol });
  const decoded = [...all.values()].filter(({ fields }) => Object.keys(fields).length > 0);
  return [...decoded, { title: 'ICMP', records: ['icmp', 'icmpv6'], fields: ICMP_FIELDS }];
}

/** Every field a record can have: the fields of `--where`. */
export function recordFields(): FieldTable {
  let all: FieldTable = { ...COMMON_FIELDS, ...EVENT_FIELDS, ...FLOW_FIELDS, ...PACKET_FIELDS };
  for (const { fields } of protocolFields()) all = { ...all, ...fields };
  return all;
}
