import { describe, expect, it } from 'vitest';
import type { EventRecord } from '../../src/analyze/record/record.ts';
import { Colours } from '../../src/view/colour.ts';
import { EventLines } from '../../src/view/event-line.ts';
import { clockText } from '../../src/view/time-text.ts';
import { CLIENT, exchange, madeAnalysis, message, notice, SERVER } from '../analyze/made-events.ts';

const TIME = '2026-07-02T14:03:07.123456789Z';
const CLOCK = clockText(TIME);

function named() {
  const made = madeAnalysis();
  made.names.addRecord(CLIENT, ['shop/client-1']);
  made.names.addRecord(SERVER, ['web.shop']);
  return made;
}

function lines(options: { colour?: boolean; align?: boolean } = {}) {
  return new EventLines({
    colours: new Colours(options.colour ?? false),
    align: options.align ?? false,
    titleOf: (protocol) => (protocol === 'websocket' ? 'WebSocket' : undefined),
  });
}

const { recorder, flow } = named();
const line = (record: EventRecord, options = {}) => lines(options).line(record);

describe('the line of', () => {
  it('an exchange', () => {
    const local = new Date(TIME).toTimeString().slice(0, 8);
    expect(line(recorder.event(exchange(), flow()))).toBe(
      `${local}.123456 shop/client-1 > web.shop (10.244.1.5:80) HTTP GET /cart 200 1.2 ms 512 B`,
    );
  });

  it('an exchange between bare addresses, with a large request', () => {
    const bare = madeAnalysis();
    expect(line(bare.recorder.event(exchange({ requestBytes: 12_345_678 }), bare.flow()))).toBe(
      `${CLOCK} 10.244.1.9:41234 > 10.244.1.5:80 HTTP GET /cart 200 1.2 ms 512 B sent 12.3 MB`,
    );
  });

  it('an exchange without an answer', () => {
    const open = exchange({
      responseTime: undefined,
      responseEnd: undefined,
      responseBytes: 0,
      status: '',
      failed: true,
      incomplete: 'no response',
    });
    expect(line(recorder.event(open, flow()))).toBe(
      `${CLOCK} shop/client-1 > web.shop (10.244.1.5:80) HTTP GET /cart [no response] sent 80 B`,
    );
  });

  it('a handshake without an answer says so once, as of TCP', () => {
    const attempt = exchange({
      protocol: 'quic',
      label: 'QUICv1 web.shop h3',
      responseTime: undefined,
      responseEnd: undefined,
      responseBytes: 0,
      status: 'no answer',
      failed: true,
      incomplete: 'no response',
    });
    expect(line(recorder.event(attempt, flow()))).toBe(
      `${CLOCK} shop/client-1 > web.shop (10.244.1.5:80) QUIC QUICv1 web.shop h3 no answer sent 80 B`,
    );
  });

  it.each([
    [{ incomplete: 'response not captured', declaredBytes: 200_000, responseBytes: 17_500 }, 'incomplete: 17.5/200 kB'],
    [{ incomplete: 'response not captured', responseBytes: 0, status: '' }, 'response not captured'],
    [{ incomplete: 'capture ended', responseBytes: 0, status: '' }, 'capture ended'],
    [{ incomplete: 'reset', endedBy: 1, responseBytes: 0, status: '' }, 'reset by server'],
    [
      { incomplete: 'closed early', endedBy: 0, declaredBytes: 950, responseBytes: 940 },
      'closed early by client: 940/950 B',
    ],
    [{ incomplete: 'unknown', declaredBytes: 950, responseBytes: 950 }, 'unknown'],
    [{ incomplete: 'reset', endedBy: undefined, responseBytes: 0, status: '' }, 'reset'],
  ] as const)('an incomplete exchange: %j', (parts, words) => {
    expect(line(recorder.event(exchange({ responseEnd: undefined, ...parts }), flow()))).toContain(` [${words}]`);
  });

  it('an exchange of which sending took most of the time, in parts', () => {
    const slow = { time: 0, requestEnd: 300e6, responseTime: 320e6, responseEnd: 1220e6 };
    expect(line(recorder.event(exchange(slow), flow()))).toContain(
      ' 200 1.2 s (request 300 ms, server 20 ms, response 900 ms) 512 B',
    );
    const upload = { time: 0, requestEnd: 0, responseTime: 1e6, responseEnd: 30e6 };
    expect(line(recorder.event(exchange(upload), flow()))).toContain(
      ' 200 30 ms (server 1.0 ms, response 29 ms) 512 B',
    );
    const server = { time: 0, requestEnd: 1e6, responseTime: 900e6, responseEnd: 920e6 };
    expect(line(recorder.event(exchange(server), flow()))).toContain(' 200 920 ms 512 B');
  });

  it('an event whose label begins with the protocol has its name once', () => {
    const lost = notice({ protocol: 'websocket', label: 'WebSocket not understood at byte 85 from the server' });
    expect(line(recorder.event(lost, flow()))).toContain(') WebSocket not understood at byte 85 from the server [');
  });

  it('a request that was not seen says so once', () => {
    const orphan = exchange({ label: '(request not seen)', incomplete: 'request not seen' });
    expect(line(recorder.event(orphan, flow()))).toContain('HTTP (request not seen) 200 512 B');
  });

  it('a message and an event of the server', () => {
    expect(line(recorder.event(message({ time: 0 }), flow()))).toBe(
      `${CLOCK} web.shop (10.244.1.5:80) > shop/client-1 WebSocket text hello 5 B`,
    );
    expect(line(recorder.event(notice({ time: 0 }), flow()))).toBe(
      `${CLOCK} shop/client-1 > web.shop (10.244.1.5:80) TCP reset by the server [TCP_RESET]`,
    );
    expect(line(recorder.event(notice({ time: 0, label: 'connection refused' }), flow()))).toBe(
      `${CLOCK} shop/client-1 > web.shop (10.244.1.5:80) TCP connection refused by server [TCP_RESET]`,
    );
    expect(line(recorder.event(notice({ label: 'connection reset', from: 0 }), flow()))).toContain(
      'shop/client-1 > web.shop (10.244.1.5:80) TCP connection reset by client [TCP_RESET]',
    );
  });

  it('what has no address', () => {
    expect(line(recorder.event(notice({ time: 0 }), flow({ clientHost: -1 })))).toContain(
      '? > web.shop (10.244.1.5:80) TCP',
    );
  });
});

it('lets nothing from the network reach the terminal that it might obey, and cuts what is long', () => {
  const made = madeAnalysis();
  made.names.addObserved(SERVER, 'evil\x1b[2J', 0);
  const label = `GET /\x1b]0;x\x07\n${'a'.repeat(5000)}`;
  const bad = made.recorder.event(exchange({ label, status: `\u202e${'é'.repeat(5000)}` }), made.flow());
  const text = line({ ...bad, code: '\x9b1m' });
  expect(text).toContain('evil\\x1b[2J (10.244.1.5:80) HTTP GET /\\x1b]0;x\\x07\\x0aaaa');
  expect(text).toContain(' \\u202eééé');
  expect(text).not.toMatch(/\p{Cc}|\p{Cf}/u);
  expect(text.length).toBeLessThan(400);
});

describe('on a terminal', () => {
  it('colours pods, each its own, and failures red', () => {
    const bad = recorder.event(exchange({ status: '503', failed: true }), flow());
    expect(line(bad, { colour: true })).toBe(
      `${CLOCK} \x1b[93mshop/client-1\x1b[39m > \x1b[92mweb.shop\x1b[39m (10.244.1.5:80) HTTP GET /cart ` +
        '\x1b[31m503\x1b[39m 1.2 ms 512 B',
    );
    expect(line(recorder.event(notice(), flow()), { colour: true })).toContain('\x1b[31mreset by the server\x1b[39m');
  });

  it('puts columns under one another, colours or not', () => {
    for (const colour of [true, false]) {
      const aligned = lines({ align: true, colour });
      const first = aligned.line(recorder.event(exchange({ label: 'LABEL' }), flow()));
      const bare = madeAnalysis();
      const second = aligned.line(bare.recorder.event(exchange({ label: 'LABEL', protocol: 'tls' }), bare.flow()));
      const plain = (text: string) => text.replaceAll(/\x1b\[\d+m/g, '');
      expect(plain(second).indexOf('LABEL')).toBe(plain(first).indexOf('LABEL'));
    }
  });
});
