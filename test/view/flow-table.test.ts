import { describe, expect, it } from 'vitest';
import { Colours } from '../../src/view/colour.ts';
import { flowLine } from '../../src/view/flow-table.ts';
import { clockText } from '../../src/view/time-text.ts';
import { CLIENT, madeAnalysis, SERVER, tcpDirection, tcpFacts } from '../analyze/made-events.ts';

const { names, recorder, flow } = madeAnalysis();
names.addRecord(CLIENT, ['shop/client-1']);
names.addRecord(SERVER, ['web.shop\x1b[2J']);
const CLOCK = clockText(recorder.timeText(0));
const style = { colours: new Colours(false), titleOf: () => undefined };
const line = (facts: Parameters<typeof flow>[0], colour = false) =>
  flowLine(recorder.flow(flow(facts).facts()), { ...style, colours: new Colours(colour) });

describe('the line of a flow', () => {
  it('says who, what and how much, and how the connection fared', () => {
    expect(line({ tcp: tcpFacts })).toBe(
      `${CLOCK} shop/client-1 (10.244.1.9:41234) > web.shop\\x1b[2J (10.244.1.5:80) HTTP 5.0 ms ` +
        'sent 3 packets, 300 B received 3 packets, 300 B closed by client setup 200 µs rtt to server 150 µs flow 0',
    );
  });

  it('says what went wrong', () => {
    const client = { ...tcpDirection, retransmissions: 5, fastRetransmissions: 2, timeoutRetransmissions: 3 };
    const server = { ...tcpDirection, zeroWindows: 1, windowFull: 2, outOfOrder: 4, lost: 1460 };
    const tcp = { ...tcpFacts, resetBy: 'server', midstream: true, setup: undefined, client, server } as const;
    expect(line({ tcp })).toMatch(
      / reset by server began before the capture rtt to server 150 µs client: retransmitted 5 \(2 fast, 3 after timeout\) server: out of order 4, zero windows 1, window full 2 \[1.46 kB of the server not captured\] flow \d+$/,
    );
    expect(line({ tcp: { ...tcpFacts, state: 'refused' } }, true)).toContain(' \x1b[31mrefused\x1b[39m ');
    expect(line({ tcp: { ...tcpFacts, state: 'open', closedBy: undefined } })).toContain(' open setup ');
  });

  it('has no words of TCP for others, nor a name for what has none', () => {
    const bare = line({ transport: 'udp', protocol: undefined, clientHost: -1, serverHost: 99_999 });
    expect(bare).toMatch(/ \? > .* UDP 5\.0 ms sent 3 packets, 300 B received 3 packets, 300 B flow \d+$/);
  });
});
