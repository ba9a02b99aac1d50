import type { AnalysisOutputKind } from '../../analyze/engine/output.ts';
import { RECORD_VERSION } from '../../analyze/record/fields.ts';
import type { Call } from '../../analyze/trace/call.ts';
import { TracePaths } from '../../analyze/trace/paths.ts';
import { Colours } from '../../view/colour.ts';
import { jsonLine } from '../../view/json-line.ts';
import { DayLines } from '../../view/time-text.ts';
import { connectLines, pathTables, traceLine, waterfall } from '../../view/trace-lines.ts';
import { counted } from '../../view/units.ts';
import { sessionTracer } from './tracing.ts';

/** Connections that did not come up of which the kernel's counters are shown at the end. */
const CONNECTS_KEPT = 16;

/** Every request of a client with where its time went: hop by hop, through Services and proxies (docs/trace.md). */
export const trace: AnalysisOutputKind = {
  detail: true,
  late: true,
  packets: true,
  firstLegs: true,
  firstLegsOnly: true,
  traced: true,
  ownFilter: true,
  create: ({ session, line, colour, json, width, utc = false, live = false, verbose = false, argument, about }) => {
    const hasLines = argument !== 'summary';
    const { analysis } = session.capture;
    const style = { colours: new Colours(colour), utc, width };
    const days = new DayLines(utc, !live, style.colours);
    const paths = new TracePaths();
    /** The last connection of each client and destination that did not come up: what the kernel counted is known at the end. */
    const failed = new Map<string, Call>();
    const { names } = session;
    let ofNodes = 0;
    /** Where pods are captured, what the nodes' interfaces alone saw is other pods' traffic. */
    const isOfNodesAlone = ({ vantages }: Call) =>
      vantages.every(({ interfaceId }) => {
        const owner = names.ofInterface(interfaceId);
        return owner?.node !== undefined && owner.pod === undefined;
      }) && names.capturedPods().length > 0;
    const done = (call: Call) => {
      if (session.where?.matches(session.recorder.event(call.exchange, call.flow)) === false) return;
      const isElsewhere = isOfNodesAlone(call);
      const record =
        isElsewhere && call.connect === undefined ? undefined : recorder.record(call, json, json || verbose);
      if (record === undefined || (isElsewhere && record.connect?.notSeen.length === 0)) {
        ofNodes += 1;
        return;
      }
      if (!json || !hasLines) paths.add(record);
      if (record.connect !== undefined && !json) {
        const key = `${call.flow.clientHost} ${call.flow.serverHost} ${call.flow.serverPort}`;
        if (failed.has(key) || failed.size < CONNECTS_KEPT) failed.set(key, call);
      }
      if (!hasLines) return;
      if (json) {
        line(jsonLine(record));
        return;
      }
      const day = days.beforeText(record.time);
      if (day !== undefined) line(day);
      line(traceLine(record, style));
      if (verbose) for (const text of waterfall(record, style)) line(text);
    };
    const { tracer, recorder } = sessionTracer(session, live, { done }, about);
    return {
      event: (event, flow) => tracer.event(event, flow),
      packet: (packet) => tracer.packet(packet, analysis.flow, analysis.clock.now),
      traced: (packet) => tracer.passed(packet),
      flowEnded: (flow) => tracer.flowEnded(flow),
      legJoined: (flow) => tracer.legJoined(flow),
      end: () => {
        tracer.end();
        if (!json) {
          for (const text of pathTables(paths.stats(), style)) line(text);
          const records = [...failed.values()].map((call) => recorder.record(call, false));
          for (const text of connectLines(records, style)) line(text);
        } else if (!hasLines)
          for (const path of paths.stats()) line(jsonLine({ v: RECORD_VERSION, kind: 'traces', ...path }));
      },
      notes: () => {
        const { hurried, forgotten } = tracer;
        const left = [
          hurried > 0 ? `${counted(hurried, 'call')} could not wait for the request they may belong to` : '',
          forgotten > 0 ? `${counted(forgotten, 'connection')} went out of memory` : '',
          paths.left > 0 ? `the tables have no room for routes or hops of ${counted(paths.left, 'request')}` : '',
        ].filter((text) => text !== '');
        return [
          ...(left.length === 0 ? [] : [`traces are not complete: ${left.join(', ')}`]),
          ...(ofNodes === 0 ? [] : [`not listed: ${counted(ofNodes, 'request')} that only nodes' interfaces saw`]),
        ];
      },
    };
  },
};
