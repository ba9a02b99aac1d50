import type { Exchange } from '../../../src/analyze/record/event.ts';
import { Summary } from '../../../src/analyze/summary/summary.ts';
import type { SummaryTotals } from '../../../src/analyze/summary/totals.ts';
import { exchange, host, madeAnalysis, message, notice, tcpDirection, tcpFacts } from '../made-events.ts';

/** One thing that happened, and in which connection. */
type Happening = (to: ReturnType<typeof part>) => void;

const ADDRESSES = ['10.244.1.5', '10.244.1.6', '10.244.2.7', '203.0.113.9'];
const ROUTES = ['GET /cart', 'GET /', 'POST /orders', 'GET /slow'];
const STATUSES = ['200', '404', '503', ''];

/** A summary of a part of what happens, with tables of hosts and names of its own. */
export function part() {
  const analysis = madeAnalysis();
  const { names } = analysis;
  names.addInterface(0, 'shop/client-1/any');
  names.addInterface(1, 'shop/idle-1/any');
  names.add('10.244.1.5', { namespace: 'shop', pod: 'web-1', service: 'web' }, 0);
  names.add('10.244.1.6', { namespace: 'shop', pod: 'web-2', service: 'web' }, 0);
  names.add('10.244.2.7', { namespace: 'shop', pod: 'api-1' }, 0);
  const summary = new Summary(analysis.hosts, names);
  const span = { first: Number.POSITIVE_INFINITY, last: Number.NEGATIVE_INFINITY };
  const totals = (): SummaryTotals =>
    summary.totals(analysis.recorder, span.last < span.first ? undefined : { ...span });
  return { ...analysis, summary, span, totals };
}

/** What happens in so many connections, in order. @param random a number from 0 to 1 */
export function happenings(connections: number, random: () => number): Happening[] {
  const pick = <Item>(list: readonly Item[]) => list[Math.floor(random() * list.length)] as Item;
  return Array.from({ length: connections }, (_, id): Happening => {
    const first = Math.floor(random() * 60e9);
    const [client, server] = [pick(ADDRESSES), pick(ADDRESSES)];
    const clientPort = 30_000 + id;
    const exchanges = Array.from({ length: Math.floor(random() * 6) }, () => madeExchange(first, random, pick));
    const retransmissions = random() < 0.3 ? Math.floor(random() * 20) : 0;
    const isRefused = random() < 0.1;
    const isUdp = random() < 0.2;
    return ({ hosts, flow, summary, span }) => {
      const [clientHost, serverHost] = [host(hosts, client), host(hosts, server)];
      const facts = { id, clientHost, serverHost, clientPort, first, last: first + 5e9 };
      for (const each of exchanges) summary.event(each, flow(facts));
      if (retransmissions > 5) summary.event(message({ bytes: retransmissions }), flow(facts));
      if (isRefused) summary.event(notice({ code: 'TCP_REFUSED' }), flow(facts));
      const health = { ...tcpDirection, retransmissions, lost: retransmissions * 3 };
      const tcp = isUdp
        ? undefined
        : { ...tcpFacts, client: health, ...(isRefused ? { state: 'refused' as const } : {}) };
      summary.flowEnded(flow({ ...facts, transport: isUdp ? 'udp' : 'tcp', tcp }));
      span.first = Math.min(span.first, first);
      span.last = Math.max(span.last, first + 5e9);
    };
  });
}

function madeExchange(first: number, random: () => number, pick: <Item>(list: readonly Item[]) => Item): Exchange {
  const time = first + Math.floor(random() * 1e9);
  const requestEnd = time + (random() < 0.5 ? 0 : Math.floor(random() * 1e6));
  const responseTime = requestEnd + Math.floor(random() ** 8 * 10e9);
  const responseEnd = responseTime + (random() < 0.5 ? 0 : Math.floor(random() * 1e7));
  const status = pick(STATUSES);
  const protocol = pick(['http', 'grpc', 'dns', 'tls']);
  return exchange({
    protocol,
    time,
    requestEnd,
    responseTime,
    responseEnd,
    status,
    failed: status === '503',
    route: pick(ROUTES),
    label: protocol === 'dns' ? pick(['A web.shop', 'AAAA web.shop', 'api.shop']) : 'GET /cart',
    fields: protocol === 'tls' ? { tls: { sni: pick(['a.example', 'b.example']), version: 'TLS1.3' } } : {},
    incomplete: random() < 0.1 ? 'reset' : undefined,
    probe: protocol === 'http' && random() < 0.1 ? true : undefined,
  });
}
