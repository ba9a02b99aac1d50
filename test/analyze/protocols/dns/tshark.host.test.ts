import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { typeName } from '../../../../src/analyze/protocols/dns/numbers.ts';
import type { AnalysisEvent } from '../../../../src/analyze/record/event.ts';
import { tsharkFrames } from '../../../oracle/tshark.ts';
import { analyseFile } from '../../../support/analysis.ts';
import { captureFiles } from '../../../support/captures.ts';
import { dnsOf } from './messages.ts';

/** What tshark has and ksnoop has not, with the reason. */
const DIFFERENT: Readonly<Record<string, string>> = {
  'dns-badlabel.pcap': 'no DNS: every count is beyond what a message can hold; tshark tries and says malformed',
  'dns_fwdptr.pcap': 'the same',
  'dns-inverse-query.pcap':
    'IQUERY over TCP (obsolete, RFC 3425): its first message has no question, which proves too little',
  'dns-invalid-names.pcap': 'names that are none: told as malformed, tshark has an empty name',
};

const FIELDS = [
  'dns.id',
  'dns.flags.response',
  'dns.qry.name',
  'dns.qry.type',
  'dns.flags.rcode',
  'mdns',
  'icmp',
  'icmpv6',
];

const files = captureFiles().filter((path) => /dns|tkey/i.test(basename(path)) && !/dnssl|1hr/.test(path));

let compared = 0;

describe.skipIf(files.length === 0)('DNS in captures of others', () => {
  it.each(files.filter((path) => DIFFERENT[basename(path)] === undefined).map((path) => [basename(path), path]))(
    '%s is what tshark says',
    async (_, path) => {
      const frames = await tsharkFrames(path, { fields: FIELDS });
      const theirs = (frames ?? [])
        .filter((frame) => frame['dns.id'] && !frame.mdns && !frame.icmp && !frame.icmpv6)
        .map((frame) => {
          const type = frame['dns.qry.type'] ? typeName(Number(frame['dns.qry.type'])) : '';
          const rcode = frame['dns.flags.response'] === '1' ? Number(frame['dns.flags.rcode']) : 'query';
          return `${Number(frame['dns.id'])} ${type} ${(frame['dns.qry.name'] ?? '').replace('<Root>', '.')} ${rcode}`;
        });
      compared += theirs.length;
      const { events } = await analyseFile(path);
      const ours = new Set(events.filter(({ event }) => event.protocol === 'dns').flatMap(({ event }) => said(event)));
      expect([...new Set(theirs)].filter((message) => !ours.has(message))).toEqual([]);
    },
  );

  it('is enough to be proof', () => {
    expect(compared).toBeGreaterThan(200);
  });
});

const RCODES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'];
const EXTENDED: Readonly<Record<string, number>> = { BADVERS: 0, BADCOOKIE: 7, NOTAUTH: 9 };

/** The messages of an event, with the four bits of the response code that the header has. */
function said(event: AnalysisEvent): string[] {
  const { id, type, name, rcode } = dnsOf(event);
  const what = `${id} ${type ?? ''} ${name ?? ''}`;
  const code = RCODES.indexOf(String(rcode));
  const response = rcode === undefined ? [] : [`${what} ${code >= 0 ? code : EXTENDED[String(rcode)]}`];
  return event.kind === 'exchange' ? [`${what} query`, ...response] : response;
}
