import type { FieldTable } from '../protocol.ts';

/** What DNS adds to the JSON. */
export const DNS_FIELDS: FieldTable = {
  'dns.name': { type: 'string', about: 'name asked for, as sent, without the dot of the root' },
  'dns.type': { type: 'string', about: 'type asked for, `AAAA`' },
  'dns.rcode': { type: 'string', about: 'response code, `NXDOMAIN`; of EDNS where it has one' },
  'dns.retransmissions': { type: 'int', about: 'how often the query was sent again' },
  'dns.id': { type: 'int', about: 'transaction id' },
  'dns.opcode': { type: 'string', about: '`UPDATE`, `NOTIFY`; not set for a plain query' },
  'dns.class': { type: 'string', about: 'class asked for, `IN`' },
  'dns.authoritative': { type: 'bool', about: 'the server is an authority for the name' },
  'dns.truncated': { type: 'bool', about: 'there was more than fits' },
  'dns.recursionDesired': { type: 'bool', about: 'the client wants the server to ask others' },
  'dns.recursionAvailable': { type: 'bool', about: 'the server would do so' },
  'dns.authenticData': { type: 'bool', about: 'the server states that DNSSEC proves the answer' },
  'dns.checkingDisabled': { type: 'bool', about: 'the client wants no such proof' },
  'dns.questions': { type: 'list', about: 'all questions, where there are more than one' },
  'dns.answers': { type: 'list', about: 'answer records: `{name, type, ttl, data}`, data as in a zone file' },
  'dns.authority': { type: 'list', about: 'records of the authority section' },
  'dns.additional': { type: 'list', about: 'records of the additional section, without that of EDNS' },
  'dns.edns': { type: 'map', about: 'EDNS of the response: `{version, udpSize, dnssecOk, options, errors, …}`' },
  'dns.requestEdns': { type: 'map', about: 'EDNS of the query: also `{clientSubnet, cookie}`' },
  'dns.messages': { type: 'int', about: 'of a zone transfer: messages in which it came' },
  'dns.records': { type: 'int', about: 'of a zone transfer: its records' },
  'dns.omitted': { type: 'int', about: 'records that are not listed, of very many' },
  'dns.malformed': { type: 'bool', about: 'something in it is not as it has to be; what could be read is there' },
};
