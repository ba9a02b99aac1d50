import { expect, test } from 'vitest';
import { SIDE } from '../../../src/analyze/record/event.ts';
import type { Carrier } from '../../../src/analyze/tcp/carrier.ts';
import { TcpStream } from '../../../src/analyze/tcp/stream.ts';
import { PlainStreamHost } from '../../support/stream-host.ts';

const CARRIER: Carrier = { acknowledgment: 1, hasAcknowledgment: true, clock: 0, isLate: false, isCrossing: false };

/** What a stream tells its protocol's analyzer. */
const told = (stream: TcpStream) => {
  const { acknowledged, timeKnown, lateEnd, isCrossing, isCut, lateAcknowledged, midstream, protocol, ended } = stream;
  const beginnings = [stream.beginning(SIDE.client), stream.beginning(SIDE.server)];
  return {
    ...{ acknowledged, timeKnown, lateEnd, isCrossing, isCut, lateAcknowledged, midstream, protocol, ended },
    ...{ beginnings, undecided: stream.undecided, opaque: stream.opaque },
  };
};

test('a stream that stands for another connection tells nothing of the one before it', () => {
  const host = new PlainStreamHost();
  const fresh = new TcpStream(host);
  fresh.begin(0, 0, 0, false, 40_000, 80);
  const used = new TcpStream(host);
  used.begin(1, 1, 1, true, 40_000, 80);
  const say = (direction: number, text: string, carrier: Carrier = CARRIER) => {
    const bytes = Buffer.from(text);
    used.data(direction, bytes, 0, bytes.length, carrier);
  };
  host.clock.now = 5e9;
  say(1, 'GET /a HTTP/1.1\r\nHost: shop\r\n\r\n', { ...CARRIER, isLate: true, isCrossing: true });
  say(0, 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbody', { ...CARRIER, clock: 1 });
  used.gap(1, 7, true);
  used.acknowledges(0, 77);
  used.annotate({ tls: { sni: 'web.shop' } });
  used.end('reset', 0);
  expect(told(used)).not.toEqual(told(fresh));
  used.begin(1, 2, 0, false, 40_000, 80);
  expect(told(used)).toEqual(told(fresh));
  expect([used.acknowledgedFirst(0), used.acknowledgedFirst(1)]).toEqual([Number.NaN, Number.NaN]);

  // And it decodes as a new one does.
  host.events.length = 0;
  host.clock.now = 1e9;
  say(0, 'GET /b HTTP/1.1\r\nHost: shop\r\n\r\n');
  host.clock.now = 2e9;
  say(1, 'HTTP/1.1 204 No Content\r\n\r\n');
  expect(host.events).toMatchObject([{ label: 'GET /b', status: '204', time: 1e9, responseEnd: 2e9 }]);
  expect(host.events[0]?.fields).not.toHaveProperty('tls');
});

test('streams that begin while another one is under way, and make the array of their numbers grow, change nothing of it', () => {
  const host = new PlainStreamHost();
  const streams = [0, 1].map((slot) => {
    const stream = new TcpStream(host);
    stream.begin(slot, slot, 0, false, 40_000, 80);
    return stream;
  });
  const say = (direction: number, text: string) => {
    const bytes = Buffer.from(text);
    for (const stream of streams) stream.data(direction, bytes, 0, bytes.length, CARRIER);
  };
  say(0, 'GET /a HTTP/1.1\r\nHo');
  const before = host.numbers.values;
  for (let slot = 2; slot < 300; slot += 1) new TcpStream(host).begin(slot, slot, 0, false, 40_000, 80);
  expect(host.numbers.values).not.toBe(before);
  host.clock.now = 1e6;
  say(0, 'st: shop\r\n\r\n');
  host.clock.now = 3e6;
  say(1, 'HTTP/1.1 204 No Content\r\n\r\n');
  expect(streams.map(({ offset }) => offset)).toEqual([0, 0]);
  const whole = { label: 'GET /a', status: '204', time: 0, requestEnd: 1e6, responseTime: 3e6, requestBytes: 31 };
  expect(host.events).toMatchObject([whole, whole]);
});

test('late bytes may acknowledge what was not captured of the other side, before that is given up', () => {
  const host = new PlainStreamHost();
  const stream = new TcpStream(host);
  stream.begin(0, 0, 0, false, 40_000, 80);
  const say = (carrier: Carrier) => {
    const bytes = Buffer.from('GET /a HTTP/1.1\r\n\r\n');
    stream.data(0, bytes, 0, bytes.length, carrier);
  };
  say(CARRIER);
  // The other side's next byte is the one with number 1: nothing of it was captured.
  say({ ...CARRIER, acknowledgment: 331, isLate: true });
  expect([stream.acknowledged, stream.lateAcknowledged]).toEqual([0, 330]);
});

test('bytes that come in order acknowledge what the other direction has handed on, also while no protocol is recognised', () => {
  const stream = new TcpStream(new PlainStreamHost());
  stream.begin(0, 0, 0, false, 40_000, 9_999);
  const steady = (own: 0 | 1, text: string, sentBefore: number) => {
    const bytes = Buffer.from(text);
    stream.steadyData(own, bytes, 0, bytes.length, sentBefore, false);
    return stream.acknowledged;
  };
  expect([
    steady(0, 'GE', 0),
    steady(1, 'HTTP', 0),
    steady(1, '/1', -1),
    steady(0, 'T', 0),
    steady(0, ' ', -9),
  ]).toEqual([...[0, 2, 1, 6, 0]]);
});

test('a stream is undecided until its protocol is recognised', () => {
  const host = new PlainStreamHost();
  const stream = new TcpStream(host);
  stream.begin(0, 0, 0, false, 40_000, 80);
  const say = (text: string) => {
    const bytes = Buffer.from(text);
    stream.data(0, bytes, 0, bytes.length, CARRIER);
    return stream.undecided;
  };
  expect([stream.undecided, say('GE'), say('T / HTTP/1.1\r\n\r\n')]).toEqual([true, true, false]);
});
