import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { typeName } from '../../../../src/analyze/protocols/dns/numbers.ts';
import type { AnalysisEvent } from '../../../../src/analyze/record/event.ts';
import { analyseFile } from '../../../support/analysis.ts';
import { dnsOf, essence } from './messages.ts';

/** CoreDNS and dnsmasq asked by dig, nsupdate and glibc: see make-dns.sh. */
const CAPTURE = fileURLToPath(new URL('../captures/dns.pcap', import.meta.url));

const { events } = await analyseFile(CAPTURE);

function line({ event }: (typeof events)[number]): string {
  if (event.kind !== 'exchange') return `${event.kind} ${event.label}`;
  return [event.label, event.status, event.failed ? 'failed' : '', event.incomplete ?? ''].join(' ').trimEnd();
}

/** The data of the first answer to a question. */
function dataOf(label: string): unknown {
  const { answers } = dnsOf(events.find(({ event }) => event.label === label)?.event);
  return (answers as { data: string }[]).map(({ data }) => data);
}

describe('what real programs say', () => {
  it('is told exchange by exchange', () => {
    expect(events.map(line)).toEqual([
      'A web.shop.svc.cluster.local NOERROR',
      'AAAA web.shop.svc.cluster.local NOERROR',
      'HTTPS web.shop.svc.cluster.local NOERROR',
      'SVCB _web._tcp.shop.svc.cluster.local NOERROR',
      'A alias.shop.svc.cluster.local NOERROR',
      'SRV _http._tcp.web.shop.svc.cluster.local NOERROR',
      'MX mail.shop.svc.cluster.local NOERROR',
      'CAA ca.shop.svc.cluster.local NOERROR',
      'TXT note.shop.svc.cluster.local NOERROR',
      'SOA cluster.local NOERROR',
      'A strange\\032\\.\\200.shop.svc.cluster.local NOERROR',
      'A web.shop.svc.cluster.local NOERROR',
      'A nothing.shop.svc.cluster.local NXDOMAIN',
      'A web.shop.svc.cluster.local NOERROR',
      'A web.shop.svc.cluster.local NOERROR',
      'A web.shop.svc.cluster.local BADVERS failed',
      'A x.broken.test SERVFAIL failed',
      'A x.refused.test REFUSED failed',
      // CoreDNS' template plugin answers REFUSED twice.
      'event answered again: A x.refused.test REFUSED',
      'TYPE65280 web.shop.svc.cluster.local NOERROR',
      'A many.shop.svc.cluster.local NOERROR',
      'A many.shop.svc.cluster.local NOERROR',
      'A web.shop.svc.cluster.local NOERROR',
      'AAAA web.shop.svc.cluster.local NOERROR',
      'A nothing.shop.svc.cluster.local NXDOMAIN',
      'A many.shop.svc.cluster.local NOERROR',
      'AXFR cluster.local NOERROR',
      'A db.test NOERROR',
      'AAAA db.test NOERROR',
      'A other.test REFUSED failed',
      'TXT version.bind NOERROR',
      'UPDATE test REFUSED failed',
      'A web.shop.svc.cluster.local NOERROR',
      'A lost.test   capture ended',
      'A lost.test   capture ended',
      'A lost.test   capture ended',
    ]);
  });

  it('has the records as the zone has them', () => {
    expect(dataOf('HTTPS web.shop.svc.cluster.local')).toEqual([
      '1 . alpn=h2,h3 port=8443 ipv4hint=10.96.0.21 ipv6hint=fd00:10:96::21',
    ]);
    expect(dataOf('SVCB _web._tcp.shop.svc.cluster.local')).toEqual([
      '2 web.shop.svc.cluster.local mandatory=alpn alpn=h2 key65333="a b"',
    ]);
    expect(dataOf('A alias.shop.svc.cluster.local')).toEqual(['web.shop.svc.cluster.local', '10.96.0.21']);
    expect(dataOf('SRV _http._tcp.web.shop.svc.cluster.local')).toEqual(['0 100 80 web.shop.svc.cluster.local']);
    expect(dataOf('MX mail.shop.svc.cluster.local')).toEqual(['10 web.shop.svc.cluster.local']);
    expect(dataOf('CAA ca.shop.svc.cluster.local')).toEqual(['0 issue "ca.example"']);
    expect(dataOf('TXT note.shop.svc.cluster.local')).toEqual(['"two \\"words\\"" "and more"']);
    expect(dataOf('AAAA db.test')).toEqual(['2001:db8::7']);
    const [truncated, whole] = events.filter(({ event }) => event.label === 'A many.shop.svc.cluster.local');
    expect(dnsOf(truncated?.event)).toMatchObject({ truncated: true });
    expect(dnsOf(whole?.event)).toMatchObject({ truncated: false, answers: { length: 60 } });
    const zone = events.find(({ event }) => event.label === 'AXFR cluster.local')?.event;
    expect(dnsOf(zone)).toMatchObject({ messages: 1, records: 74 });
    expect(events.some(({ event }) => dnsOf(event).malformed)).toBe(false);
  });

  it('has EDNS of both sides', () => {
    const [asked] = events.filter(
      ({ event }) => dnsOf(event).requestEdns && line({ event } as never).includes('BADVERS'),
    );
    expect(dnsOf(asked?.event)).toMatchObject({ requestEdns: { version: 1 }, edns: { version: 0 } });
    const refused = events.find(({ event }) => event.label === 'A other.test')?.event;
    expect(dnsOf(refused)).toMatchObject({ edns: { errors: [{ code: 14 }] } });
  });

  it('counts what glibc sends again', () => {
    expect(events.map(({ event }) => dnsOf(event).retransmissions).filter(Boolean)).toEqual([1]);
  });

  it('is the same without detail', async () => {
    const plain = await analyseFile(CAPTURE, false);
    const essences = (all: typeof events) => all.map(({ event, flow }) => [flow, essence(event)]);
    expect(essences(plain.events)).toEqual(essences(events));
  });

  it.skipIf(spawnSync('tshark', ['--version']).error !== undefined)('is what tshark says', () => {
    const fields = ['dns.id', 'dns.flags.response', 'dns.qry.type', 'dns.qry.name', 'dns.flags.rcode'];
    const argv = ['-n', '-r', CAPTURE, '-Y', 'dns', '-T', 'fields', '-E', 'separator=/t'];
    const output = execFileSync('tshark', [...argv, ...fields.flatMap((field) => ['-e', field])], { stdio: 'pipe' });
    const theirs = String(output)
      .trimEnd()
      .split('\n')
      .map((frame) => {
        const [id, response, type, name, rcode] = frame.split('\t');
        return [Number(id), response === '1' ? Number(rcode) : '', typeName(Number(type || 6)), plain(name ?? '')].join(
          ' ',
        );
      });
    expect(theirs.length).toBe(69);
    expect([...new Set(theirs)].sort()).toEqual([...new Set(events.flatMap(({ event }) => said(event)))].sort());
  });
});

/** tshark prints unprintable bytes in its own ways, and has the zone of an update in another field. */
function plain(name: string): string {
  return name.replace(/^strange.*?(?=shop)/, 'strange.') || 'test';
}

const HEADER_RCODES: Readonly<Record<string, number>> = {
  NOERROR: 0,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  REFUSED: 5,
  BADVERS: 0,
};

/** The messages of an event. */
function said(event: AnalysisEvent): string[] {
  const { id, type, name, rcode } = dnsOf(event);
  const what = `${type} ${plain(String(name))}`;
  const response = rcode === undefined ? [] : [`${id} ${HEADER_RCODES[String(rcode)]} ${what}`];
  return event.kind === 'exchange' ? [`${id}  ${what}`, ...response] : response;
}
