import { describe, expect, it } from 'vitest';
import { decodePacket, PacketView } from '../../../src/analyze/packet/packet.ts';
import { Recorder } from '../../../src/analyze/record/record.ts';
import { ethernet, fromHex, ipv4, udp } from '../decoded.ts';
import { BASE, CLIENT, exchange, madeAnalysis, message, notice, SERVER, tcpFacts } from '../made-events.ts';

const json = (record: object) => JSON.parse(JSON.stringify(record));

describe('the record of', () => {
  it('an exchange: names, times and the protocol under its key, in the documented order', () => {
    const { recorder, names, flow } = madeAnalysis();
    names.addRecord(CLIENT, ['shop/client-1']);
    names.addRecord(SERVER, ['web.shop']);
    const record = recorder.event(exchange(), flow({ id: 7 }));
    expect(JSON.stringify(record)).toBe(
      '{"v":1,"time":"2026-07-02T14:03:07.123456789Z","kind":"exchange","protocol":"http",' +
        '"src":{"ip":"10.244.1.9","port":41234,"pod":"client-1","namespace":"shop"},' +
        '"dst":{"ip":"10.244.1.5","port":80,"service":"web","namespace":"shop"},' +
        '"latency":1200000,"ttfb":1000000,"requestTime":1000,"serverTime":999000,"transferTime":200000,"requestBytes":80,"responseBytes":512,"status":"200","failed":false,' +
        '"label":"GET /cart","route":"GET /cart","flow":7,"interface":"shop/client-1/any",' +
        '"http":{"method":"GET","path":"/cart","host":"web","status":200}}',
    );
  });

  it('an exchange of which a part is missing', () => {
    const { recorder, flow } = madeAnalysis();
    const open = { responseTime: undefined, responseEnd: undefined, responseBytes: 0, status: '' };
    const unanswered = json(recorder.event(exchange({ ...open, incomplete: 'no response', failed: true }), flow()));
    expect(unanswered).toMatchObject({ incomplete: 'no response', failed: true });
    expect(unanswered).not.toHaveProperty('latency');
    expect(unanswered).not.toHaveProperty('ttfb');
    expect(unanswered).not.toHaveProperty('status');
    const unasked = json(recorder.event(exchange({ incomplete: 'request not seen' }), flow()));
    expect(unasked).not.toHaveProperty('latency');
    expect(unasked).not.toHaveProperty('ttfb');
  });

  it('times of which both ends were seen, none of them negative', () => {
    const { recorder, flow } = madeAnalysis();
    const times = (parts: Parameters<typeof exchange>[0]) => {
      const { latency, ttfb, requestTime, serverTime, transferTime } = recorder.event(exchange(parts), flow());
      return [latency, ttfb, requestTime, serverTime, transferTime];
    };
    const seen = { time: 0, requestEnd: 10, responseTime: 30, responseEnd: 70 };
    expect(times(seen)).toEqual([70, 30, 10, 20, 40]);
    // The response began before the request was complete: the server's part is not known.
    expect(times({ ...seen, requestEnd: 50 })).toEqual([70, 30, 50, undefined, 40]);
    expect(times({ ...seen, responseEnd: undefined })).toEqual([undefined, 30, 10, 20, undefined]);
    expect(times({ ...seen, incomplete: 'request not seen' })).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      40,
    ]);
    expect(times({ ...seen, incomplete: 'request not captured' })).toEqual([70, 30, undefined, undefined, 40]);
    expect(times({ ...seen, time: 100, requestEnd: 100 })).toEqual([undefined, undefined, 0, undefined, 40]);
  });

  it("a probe of kubelet's: the address without a name is its node's", () => {
    const { recorder, names, flow } = madeAnalysis();
    names.add(SERVER, { namespace: 'shop', pod: 'web-1', node: 'worker-1' }, 0);
    expect(recorder.event(exchange({ probe: true }), flow()).src).toMatchObject({
      name: 'kubelet@worker-1',
      node: 'worker-1',
    });
    names.add(CLIENT, { namespace: 'shop', pod: 'client-1' }, 0);
    expect(recorder.event(exchange({ probe: true }), flow()).src).toMatchObject({ pod: 'client-1', name: undefined });
  });

  it('who ended the connection, and how much of the response there is', () => {
    const { recorder, flow } = madeAnalysis();
    const cut = exchange({ incomplete: 'closed early', endedBy: 1, declaredBytes: 200_000, responseBytes: 17_500 });
    expect(json(recorder.event(cut, flow()))).toMatchObject({ endedBy: 'server', declaredBytes: 200_000 });
  });

  it('what the server asks or sends: it is the source; an event names client and server, and who did it', () => {
    const { recorder, flow } = madeAnalysis();
    expect(recorder.event(exchange({ requester: 1 }), flow()).src?.ip).toBe(SERVER);
    expect(json(recorder.event(message(), flow()))).toMatchObject({
      src: { ip: SERVER },
      requestBytes: 5,
      failed: false,
    });
    expect(json(recorder.event(notice(), flow()))).toMatchObject({
      src: { ip: CLIENT },
      dst: { ip: SERVER },
      by: 'server',
      code: 'TCP_RESET',
      failed: true,
    });
    expect(recorder.event(notice({ from: undefined }), flow()).src?.ip).toBe(CLIENT);
  });

  it('a protocol that has a field called like one of the common ones: those stay', () => {
    const { recorder, flow } = madeAnalysis();
    const record = json(recorder.event(exchange({ fields: { flow: 'x', src: 'y', odd: { a: 1 } } }), flow({ id: 3 })));
    expect(record).toMatchObject({ flow: 3, src: { ip: CLIENT }, odd: { a: 1 } });
  });

  it('a flow', () => {
    const { recorder, flow } = madeAnalysis();
    const record = json(recorder.flow(flow({ tcp: tcpFacts, interfaceId: 4 }).facts()));
    expect(Object.keys(record)).toEqual([
      ...['v', 'time', 'kind', 'protocol', 'src', 'dst', 'flow', 'transport', 'duration', 'client', 'server', 'tcp'],
    ]);
    expect(record).toMatchObject({ kind: 'flow', duration: 5e6, tcp: { state: 'closed', mss: [1460, null] } });
    expect(json(recorder.flow(flow({ protocol: undefined, transport: 'icmp', clientPort: 0 }).facts()))).toMatchObject({
      protocol: 'icmp',
      src: { ip: CLIENT },
    });
  });

  it('a packet', () => {
    const { recorder, names } = madeAnalysis();
    names.addRecord('10.0.0.2', ['kube-dns.kube-system']);
    const packet = new PacketView();
    const read = (linkType: number, bytes: Buffer) => {
      packet.set(
        bytes,
        0,
        bytes.length,
        bytes.length,
        Number(BASE >> 32n),
        Number(BASE & 0xffff_ffffn),
        0,
        linkType,
        2,
      );
      decodePacket(packet);
      return json(recorder.packet(packet, 0));
    };
    expect(read(228, fromHex(ipv4(17, 30), udp(10), 'abcd'))).toEqual({
      v: 1,
      time: '2026-07-02T14:03:07.123456789Z',
      kind: 'packet',
      protocol: 'udp',
      src: { ip: '10.0.0.1', port: 4660 },
      dst: { ip: '10.0.0.2', port: 53, service: 'kube-dns', namespace: 'kube-system' },
      interface: 'shop/client-1/any',
      label: 'len 2',
      direction: 'out',
      length: 30,
      captured: 30,
    });
    expect(read(1, fromHex(ethernet('88cc'), '0207'))).toMatchObject({
      protocol: 'lldp',
      src: { mac: '02:00:00:00:00:01' },
      stopped: 'not decoded',
    });
  });
});

it('writes times before and long after the first packet', () => {
  const { recorder, hosts, names } = madeAnalysis();
  expect(recorder.timeText(-123_456_790)).toBe('2026-07-02T14:03:06.999999999Z');
  expect(recorder.timeText(876_543_211)).toBe('2026-07-02T14:03:08.000000000Z');
  const early = new Recorder({ hosts, names, interfaceName: () => undefined }, 0n);
  expect(early.timeText(-1)).toBe('1969-12-31T23:59:59.999999999Z');
  expect(recorder.timeText(100 * 86_400e9 + 1)).toBe('2026-10-10T14:03:07.123456790Z');
});

describe('the client that a proxy names', () => {
  const fields = { proxy: { version: 1, client: '203.0.113.7' } };

  it('is the name of a client without one, whichever side sends, and not of the server', () => {
    const { recorder, flow } = madeAnalysis();
    expect(recorder.event(exchange({ fields }), flow()).src?.name).toBe('203.0.113.7');
    expect(recorder.event(exchange({ fields }), flow()).dst?.name).toBeUndefined();
    expect(recorder.event(message({ fields, from: 1 }), flow())).toMatchObject({ dst: { name: '203.0.113.7' } });
    expect(recorder.event(exchange(), flow()).src?.name).toBeUndefined();
    expect(recorder.event(exchange(), flow()).src).not.toHaveProperty('name', '203.0.113.7');
  });
});
