import { DISPOSITION, type Disposition } from '../../analyze/engine/analysis.ts';
import type { CaptureAnalysis } from '../../analyze/engine/capture-analysis.ts';
import type { AnalysisOutput, AnalysisOutputContext } from '../../analyze/engine/output.ts';
import type { Finding } from '../../analyze/findings/finding.ts';
import type { FlowInfo } from '../../analyze/flow/flow-facts.ts';
import type { PacketView } from '../../analyze/packet/packet.ts';
import { protocolTitle } from '../../analyze/protocols/titles.ts';
import type { AnalysisEvent } from '../../analyze/record/event.ts';
import { Summary } from '../../analyze/summary/summary.ts';
import { Timeline } from '../../analyze/summary/timeline.ts';
import { reportPage } from '../../view/html/page.ts';
import { VERSION } from '../../wire/version.ts';
import { Found } from './found.ts';
import { NotableRequests } from './notable-requests.ts';
import { analysisNotes } from './notes.ts';

/** Collects what the HTML report shows. It gets all events and packets, and applies `--where` itself. */
export class HtmlReport implements AnalysisOutput {
  readonly #context: AnalysisOutputContext;
  readonly #capture: CaptureAnalysis;
  readonly #sums: Summary;
  readonly #found: Found;
  readonly #timeline = new Timeline();
  readonly #requests: NotableRequests;

  constructor(context: AnalysisOutputContext) {
    const { session, live = false } = context;
    this.#context = context;
    this.#capture = session.capture;
    this.#sums = new Summary(session.capture.analysis.hosts, session.names);
    this.#found = new Found(session);
    this.#requests = new NotableRequests(session, live);
  }

  event(event: AnalysisEvent, flow: FlowInfo): void {
    const { where, recorder } = this.#context.session;
    this.#requests.event(event, flow);
    if (where?.matches(recorder.event(event, flow)) === false) return;
    this.#sums.event(event, flow);
    this.#found.event(event, flow);
    if (event.kind === 'exchange' && flow.sameAs === undefined) this.#timeline.exchange(event);
  }

  packet(packet: PacketView, taken: Disposition): void {
    this.#requests.packet(packet);
    const { analysis } = this.#capture;
    if (taken !== DISPOSITION.copy) this.#timeline.bytes(packet.origlen, analysis.clock.now);
    const retransmissions = analysis.takeRetransmissions();
    if (retransmissions > 0) this.#timeline.retransmissions(retransmissions, analysis.clock.now);
  }

  flowEnded(flow: FlowInfo): void {
    const { where, recorder } = this.#context.session;
    this.#requests.flowEnded(flow);
    if (where?.matches(recorder.flow(flow.facts())) === false) return;
    this.#sums.flowEnded(flow);
    this.#found.flowEnded(flow);
  }

  end(): void {
    this.#requests.end();
  }

  notes(): readonly string[] {
    return this.#requests.notes();
  }

  /** The page, after the end. @param findings to be shown; those of the packets unless given */
  page(findings: readonly Finding[] = this.#found.list()): string {
    const { session, utc = false, command, paths, keyLog } = this.#context;
    const content = {
      summary: this.#sums.report(session.recorder, session.span),
      findings,
      timeline: this.#timeline.report(),
      slowest: this.#requests.slowest,
      failed: this.#requests.failed,
      failures: this.#requests.failures,
      packets: session.capture.framer.packets,
      bytes: session.capture.bytes,
      interfaces: session.interfaces.flatMap((each) => (each?.name ? [each.name] : [])),
      notes: analysisNotes(session),
      command: command?.(),
      paths,
      keyLog,
      version: VERSION,
    };
    const timeText = (time: number) => session.recorder.timeText(time);
    const titleOf = (protocol: string) => protocolTitle(protocol) ?? protocol.toUpperCase();
    return reportPage(content, { utc, timeText, titleOf });
  }
}
