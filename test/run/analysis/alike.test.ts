import { describe, expect, it, test } from 'vitest';
import type { AnalysisOutputKind } from '../../../src/analyze/engine/output.ts';
import { AnalysisSession } from '../../../src/analyze/engine/session.ts';
import { csv } from '../../../src/run/analysis/csv.ts';
import { findings } from '../../../src/run/analysis/findings.ts';
import { map } from '../../../src/run/analysis/map.ts';
import { summary } from '../../../src/run/analysis/summary.ts';
import { summaryState } from '../../../src/run/analysis/summary-state.ts';
import { pcapFileHeader } from '../../../src/wire/pcap-write.ts';
import { A, AAAA, message, NXDOMAIN, question, record } from '../../analyze/protocols/dns/messages.ts';
import { plainSettings } from '../../support/analysis-session.ts';
import { datagramFrame } from '../../support/built-datagrams.ts';
import { Random } from '../../support/random.ts';

const SERVFAIL = 2;
const SRV = 33;

/** What a resolver's clients ask: names that are there, that are not, and that have a search suffix. */
const NAMES = Array.from({ length: 40 }, (_, index) => {
  if (index % 5 === 4) return `missing-${index}.shop.svc.cluster.local`;
  if (index % 5 === 3) return `api-${index}.example.com.shop.svc.cluster.local`;
  return index % 5 === 2 ? `api-${index + 1}.example.com` : `web-${index}.shop.svc.cluster.local`;
});

interface Frame {
  readonly at: number;
  readonly bytes: Buffer;
}

/** One packet each way as a rule. @param clients addresses that ask @param plain nothing else happens */
function conversation(queries: number, clients: number, plain: boolean): Buffer {
  const random = new Random(queries + clients);
  const below = (bound: number) => random.below(bound);
  const frames: Frame[] = [];
  const rarely = (one: number) => !plain && below(one) === 0;
  for (let index = 0; index < queries; index += 1) {
    const number = below(NAMES.length);
    const type = rarely(30) ? SRV : below(2) === 0 ? A : AAAA;
    const name = rarely(50) ? (NAMES[number] ?? '').toUpperCase() : (NAMES[number] ?? '');
    const id = index & 0xffff;
    const client = 10 + below(clients);
    const port = 40_000 + below(5);
    const server = below(8) === 0 ? 3 : 2;
    const at = index * 200_000;
    const asked = message({ id, questions: [question(name, type)] });
    const query = frame(0, client, port, server, asked, index);
    frames.push({ at, bytes: query });
    if (rarely(100)) frames.push({ at: at + 2e6, bytes: frame(0, client, port, server, asked, index + 7) });
    if (rarely(100)) continue;
    const rcode = rarely(80) ? SERVFAIL : number % 5 > 2 ? NXDOMAIN : 0;
    // An answer that changes names an address; sometimes that is a client's.
    const last = rarely(40) ? 10 + below(clients) : number;
    const address = type === AAAA ? [...new Array(15).fill(0), number + 1] : [10, 0, 0, last];
    const answers = rcode === 0 && type !== SRV ? [record(type, address)] : [];
    const flags = 0x8180 | rcode | (rarely(90) ? 0x0200 : 0);
    const response = message({ id, flags, questions: [question(name, type)], answers });
    const latency = 100_000 + below(30e6) + (rarely(60) ? 3e9 : 0);
    const answer = frame(1, client, port, server, response, index);
    frames.push({ at: at + latency, bytes: answer });
    if (rarely(100)) frames.push({ at: at + latency + 1e6, bytes: answer });
  }
  frames.sort((one, other) => one.at - other.at);
  return Buffer.concat([
    pcapFileHeader(1, 65_535),
    ...frames.flatMap(({ at, bytes }) => [recordHeader(at, bytes), bytes]),
  ]);
}

function frame(side: 0 | 1, client: number, port: number, server: number, payload: Uint8Array, number: number): Buffer {
  const built = datagramFrame({ side, payload, port: 53, identification: (number % 60_000) + 1 });
  built[side === 0 ? 29 : 33] = client;
  built[side === 0 ? 33 : 29] = server;
  built.writeUInt16BE(port, side === 0 ? 34 : 36);
  return built;
}

function recordHeader(at: number, { length }: Buffer): Buffer {
  const header = Buffer.alloc(16);
  header.writeUInt32LE(1 + Math.floor(at / 1e9), 0);
  header.writeUInt32LE(at % 1e9, 4);
  header.writeUInt32LE(length, 8);
  header.writeUInt32LE(length, 12);
  return header;
}

/** The forms that count exchanges without events. */
const FORMS = { summary, csv, map, findings, state: summaryState };

/** The same form, which gets every exchange as an event. */
const oneByOne = (form: AnalysisOutputKind): AnalysisOutputKind => ({
  ...form,
  create: (context) => ({ ...form.create(context), alike: undefined }),
});

/** What a form prints, and how many events it got. @param named every so many bytes some client gets one of `names` names */
function printed(
  form: AnalysisOutputKind,
  bytes: Buffer,
  json: boolean,
  named = 0,
  names = 1,
): { lines: string[]; events: number } {
  const lines: string[] = [];
  let events = 0;
  const kind: AnalysisOutputKind = {
    ...form,
    create: (context) => {
      const output = form.create(context);
      return {
        ...output,
        event: (event, flow) => {
          events += 1;
          output.event?.(event, flow);
        },
      };
    },
  };
  const session = new AnalysisSession(kind, plainSettings({ json, line: (line) => void lines.push(line) }));
  const step = named > 0 ? named : bytes.length;
  for (let at = 0; at < bytes.length; at += step) {
    session.push(bytes.subarray(at, at + step));
    const turn = at / step;
    if (named > 0) session.addNames([{ address: `10.0.0.${10 + (turn % 3)}`, names: [`shop/client-${turn % names}`] }]);
  }
  session.end();
  return { lines, events };
}

describe('DNS exchanges that are counted without events', () => {
  test.each([
    ['a few clients', 12_000, 4, 0],
    ['many clients', 5000, 100, 0],
    ['clients that get other names', 4000, 5, 40_000, 7],
    // Nothing else happens, so that no name depends on the time.
    ['clients that get their names late', 4000, 5, 40_000, 3, true],
    // Less than is counted at once.
    ['few queries', 700, 2, 0],
  ])('give the same sums and findings as events, of %s', (_of, queries, clients, named, names = 1, plain = false) => {
    const bytes = conversation(queries, clients, plain);
    for (const [name, form] of Object.entries(FORMS)) {
      for (const json of form === summary || form === findings ? [false, true] : [false]) {
        const counted = printed(form, bytes, json, named, names);
        const single = printed(oneByOne(form), bytes, json, named, names);
        expect(counted.lines, name).toEqual(single.lines);
        expect(counted.events, name).toBeLessThan(single.events);
      }
    }
  });

  it('are nearly all where the same questions come again', () => {
    const bytes = conversation(5000, 3, true);
    const { lines, events } = printed(summary, bytes, false);
    expect(lines.join('\n')).toContain('DNS_');
    expect(events).toBeLessThan(1000);
  });

  it('are none where a form gets no counter, or an expression decides', () => {
    const bytes = conversation(500, 2, true);
    expect(printed(oneByOne(summary), bytes, false).events).toBeGreaterThanOrEqual(500);
    let events = 0;
    const kind: AnalysisOutputKind = {
      ...summary,
      create: (context) => ({
        ...summary.create(context),
        event: () => {
          events += 1;
        },
      }),
    };
    const where = { matches: () => true };
    const session = new AnalysisSession(kind, plainSettings({ where }));
    session.push(bytes);
    session.end();
    expect(events).toBeGreaterThanOrEqual(500);
  });
});
