// Captures that others made: what ksnoop names as one of these protocols, tshark finds in the same file.
import { expect, test } from 'vitest';
import { DATAGRAM_PROTOCOLS, STREAM_PROTOCOLS } from '../../../src/analyze/protocols/index.ts';
import { analyseFile } from '../../support/analysis.ts';
import { CAPTURES, captureFiles } from '../../support/captures.ts';
import { tsharkFields } from './tshark-fields.ts';

/** Protocols that the comparison of messages with tshark does not cover, and tshark's names where they are others; none: unknown to it. */
const FILTERS: Readonly<Record<string, string | undefined>> = {
  ldap: 'ldap || cldap',
  dhcpv6: 'dhcpv6',
  syslog: 'syslog',
  ntp: 'ntp',
  sip: 'sip',
  dhcp: 'dhcp',
  smtp: 'smtp',
  socks: 'socks',
  mqtt: 'mqtt',
  cql: 'cql',
  tds: 'tds',
  fastcgi: 'fcgi',
  thrift: 'thrift',
  tns: 'tns',
  dubbo: undefined,
  nats: undefined,
  pulsar: undefined,
  rocketmq: undefined,
};

/** Captures of these protocols at ports where tshark, which goes by ports, does not look for them. */
const OTHER_PORTS = [
  'zeek/ldap/simpleauth-diff-port.pcap: ldap',
  'zeek/socks-auth-10080.pcap: socks',
  'zeek/socks.pcap: socks',
  'zeek/tcp-syslog-nontransparent.pcap: syslog',
  'zeek/tcp-syslog.pcap: syslog',
];

const files = captureFiles();

test.skipIf(files.length === 0)('no capture of others is taken for what tshark does not find in it', async () => {
  const known = new Set([...STREAM_PROTOCOLS, ...DATAGRAM_PROTOCOLS].map(({ name }) => name));
  expect(Object.keys(FILTERS).filter((name) => !known.has(name))).toEqual([]);
  const wrong: string[] = [];
  let judged = 0;
  for (const file of files) {
    const { flows, events } = await analyseFile(file, false);
    const named = new Set([...flows.map(({ protocol }) => protocol), ...events.map(({ event }) => event.protocol)]);
    for (const name of named) {
      if (name === undefined || !(name in FILTERS)) continue;
      const filter = FILTERS[name];
      const frames = filter === undefined ? [] : tsharkFields(file, filter, ['frame.number']);
      if (frames === undefined) return;
      judged += 1;
      if (frames.length === 0) wrong.push(`${file.slice(CAPTURES.length + 1)}: ${name}`);
    }
  }
  expect(wrong).toEqual(OTHER_PORTS);
  expect(judged).toBeGreaterThan(80);
});
