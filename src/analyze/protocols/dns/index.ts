import { PENDING_DATAGRAMS } from '../../limits.ts';
import type { Side } from '../../record/event.ts';
import type { DatagramAnalyzer, DatagramContext, DatagramProtocol, StreamProtocol } from '../protocol.ts';
import { Dialogue } from './dialogue.ts';
import { DNS_FIELDS } from './fields.ts';
import { hintedLikeness, streamLikeness, strictLikeness } from './probe.ts';
import { DnsStream } from './stream.ts';

export { observedAddresses } from './observed.ts';

/** DNS over UDP, of all flows (RFC 1035); mDNS (RFC 6762) and LLMNR (RFC 4795) have its form. */
class DnsDatagrams implements DatagramAnalyzer {
  readonly #context: DatagramContext;
  readonly #dialogue: Dialogue;

  constructor(context: DatagramContext) {
    this.#context = context;
    this.#dialogue = new Dialogue(context, PENDING_DATAGRAMS, undefined, context.emit);
  }

  datagram(flow: number, side: Side, bytes: Uint8Array, start: number, end: number, wireLength: number): void {
    const whole = end - start >= wireLength;
    this.#dialogue.message(flow, side, bytes, start, end, this.#context.now, wireLength, whole);
  }

  endFlow(flow: number): void {
    this.#dialogue.endFlow(flow, 'no response');
  }

  rejected(flow: number): void {
    this.#dialogue.rejected(flow);
  }

  end(): void {
    this.#dialogue.end();
  }
}

/** DNS over UDP. */
export const dns: DatagramProtocol = {
  name: 'dns',
  title: 'DNS',
  ports: [53, 5353, 5355],
  fields: DNS_FIELDS,
  probe: (bytes, start, end, hinted) => (hinted ? hintedLikeness : strictLikeness)(bytes, start, end),
  create: (context) => new DnsDatagrams(context),
};

/** DNS over TCP. */
export const dnsTcp: StreamProtocol = {
  name: 'dns',
  title: 'DNS',
  ports: [53],
  fields: DNS_FIELDS,
  probe: streamLikeness,
  create: (context) => new DnsStream(context),
};
