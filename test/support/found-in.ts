import type { Finding } from '../../src/analyze/findings/finding.ts';
import { Findings } from '../../src/analyze/findings/findings.ts';
import type { FlowFacts, FlowIdentity, FlowInfo, TcpFacts } from '../../src/analyze/flow/flow-facts.ts';
import { Hosts } from '../../src/analyze/identity/hosts.ts';
import { Names } from '../../src/analyze/identity/names.ts';
import type { AnalysisEvent, Exchange } from '../../src/analyze/record/event.ts';
import type { RepeatedExchanges } from '../../src/analyze/record/repeated-exchanges.ts';
import { findings } from '../../src/run/analysis/findings.ts';
import { analysisLines } from './analysis-lines.ts';
import { BUILT_EPOCH_NS, type BuiltSegment, builtPcap } from './built-capture.ts';
import { findingContext } from './finding-context.ts';

/** What is found in a capture of these segments, as the JSON output has it. @param names by address */
export function foundIn(segments: readonly BuiltSegment[], names: Readonly<Record<string, string>> = {}): Finding[] {
  const { lines } = analysisLines(findings, builtPcap(segments), names);
  return (JSON.parse(lines[0] ?? '{}') as { findings: Finding[] }).findings;
}

export function codesOf(found: readonly Finding[]): string[] {
  return found.map(({ code }) => code);
}

const NO_TROUBLE = { retransmissions: 0, spuriousRetransmissions: 0, zeroWindows: 0 } as const;

/** The detectors, fed with events and ends of flows between hosts 10.0.0.x. */
export class Judged {
  readonly hosts = new Hosts();
  readonly names = new Names(this.hosts);
  readonly #findings = new Findings(findingContext(BUILT_EPOCH_NS, this.hosts, this.names));
  #flows = 0;

  /** @param client, server last byte of the address */
  flow(client: number, server: number, more: Partial<FlowIdentity> = {}): FlowIdentity {
    this.#flows += 1;
    const number = (last: number) => this.hosts.number(Uint8Array.of(10, 0, 0, last), 0, 4);
    return {
      id: this.#flows,
      transport: 'tcp',
      clientHost: number(client),
      serverHost: number(server),
      clientPort: 40_000 + this.#flows,
      serverPort: 80,
      interfaceId: 0,
      ...more,
    };
  }

  /** An HTTP exchange, complete unless `more` says otherwise. @param at, took ms */
  exchange(flow: FlowIdentity, at: number, took: number, more: Partial<Exchange> = {}): void {
    const time = at * 1e6;
    const end = (at + took) * 1e6;
    this.event(
      {
        kind: 'exchange',
        protocol: 'http',
        label: 'GET /cart',
        route: 'GET /cart',
        time,
        requestEnd: time,
        responseTime: end,
        responseEnd: end,
        requestBytes: 40,
        responseBytes: 40,
        status: '200',
        failed: false,
        fields: {},
        ...more,
      },
      flow,
    );
  }

  event(event: AnalysisEvent, flow: FlowIdentity): void {
    this.#findings.event(event, flow);
  }

  /** Exchanges that were added up beside an agent. */
  repeated(repeated: RepeatedExchanges, flow: FlowIdentity): void {
    this.#findings.repeated(repeated, flow);
  }

  /** A TCP connection ends. @param at ms @param last ns @param payload bytes of the client */
  ended(flow: FlowIdentity, at: number, tcp: Partial<TcpFacts>, { last = at * 1e6, payload = 0 } = {}): void {
    const none = { packets: 1, bytes: 60, payload: 0 };
    const facts = {
      ...flow,
      first: at * 1e6,
      last,
      client: { ...none, payload },
      server: none,
      tcp: { midstream: false, client: NO_TROUBLE, server: NO_TROUBLE, ...tcp },
    };
    const info = { ...flow, facts: () => facts as unknown as FlowFacts };
    this.#findings.flowEnded(info as FlowInfo);
  }

  get found(): Finding[] {
    return this.#findings.list();
  }
}
