import type { AnalysisOutput, AnalysisOutputContext, AnalysisOutputKind } from '../../analyze/engine/output.ts';
import type { FlowInfo } from '../../analyze/flow/flow-facts.ts';
import type { FlowFollower } from '../../analyze/flow/follower.ts';
import { protocolTitle } from '../../analyze/protocols/titles.ts';
import { Colours } from '../../view/colour.ts';
import { EventLines } from '../../view/event-line.ts';
import { flowLine } from '../../view/flow-table.ts';
import { hexRows, messageLines } from '../../view/stream-lines.ts';
import { timeText } from '../../view/time-text.ts';
import { counted } from '../../view/units.ts';
import { type StreamForm, streamArgument } from './stream-argument.ts';

/** Fraction digits of the times: those of events. */
const TIME_DIGITS = 6;

/** One flow, both directions in order: what is decoded of it, or its bytes (`--follow`). */
export const stream: AnalysisOutputKind = {
  detail: true,
  bodies: true,
  packets: false,
  create: (context) => {
    const { flow, form } = streamArgument(context.argument ?? '');
    return form === 'decoded' ? decodedStream(context, flow) : streamOfBytes(context, flow, form);
  },
};

/** Exchanges, messages and events; HTTP's with heads and bodies. Where there are none, the bytes can be shown. */
function decodedStream(
  { session, line, colour, align, utc = false }: AnalysisOutputContext,
  number: number,
): AnalysisOutput {
  const style = { colours: new Colours(colour), align, utc, titleOf: protocolTitle };
  const lines = new EventLines(style);
  let highest = -1;
  let shown = 0;
  let summary: string | undefined;
  return {
    event: (event, flow) => {
      highest = Math.max(highest, flow.id);
      if (flow.id !== number) return;
      shown += 1;
      const record = session.recorder.event(event, flow);
      line(lines.line(record));
      for (const message of messageLines(record)) line(message);
    },
    flowEnded: (flow) => {
      highest = Math.max(highest, flow.id);
      if (flow.id === number) summary = flowLine(session.recorder.flow(flow.facts()), style);
    },
    notes: () => {
      if (summary === undefined && session.where !== undefined) return shown > 0 ? [] : [noMatch(number)];
      if (summary === undefined) return [noFlow(number, highest)];
      if (shown === 0) return [summary, 'Nothing of this flow is decoded: --hex --show-secrets shows its bytes.'];
      return [summary];
    },
  };
}

/** The bytes of both sides in the order in which they came: TCP's once, also where segments were sent or captured twice. */
function streamOfBytes(
  { session, line, utc = false }: AnalysisOutputContext,
  number: number,
  form: Exclude<StreamForm, 'decoded'>,
): AnalysisOutput {
  const { analysis } = session.capture;
  /** Bytes of each side so far, holes included. */
  const positions = { client: 0, server: 0 };
  let highest = -1;
  let bytesOfFlow = 0;
  const margin = (isClient: boolean) => (isClient ? '' : form === 'raw' ? '\t' : '    ');
  const heading = (isClient: boolean, time: number, what: string) => {
    if (form === 'raw') return;
    const at = timeText(analysis.clock.absolute(time), utc, TIME_DIGITS);
    line(`${margin(isClient)}${at} ${isClient ? 'client' : 'server'}, ${what}`);
  };
  const follower: FlowFollower = {
    flow: number,
    bytes: (_flow: FlowInfo, isClient, time, bytes, start, end) => {
      const side = isClient ? 'client' : 'server';
      bytesOfFlow += end - start;
      heading(isClient, time, counted(end - start, 'byte'));
      if (form === 'raw') line(`${margin(isClient)}${Buffer.from(bytes.subarray(start, end)).toString('hex')}`);
      else for (const row of hexRows(bytes, start, end, positions[side])) line(`${margin(isClient)}${row}`);
      positions[side] += end - start;
    },
    gap: (_flow, isClient, time, length) => {
      heading(isClient, time, `${counted(length, 'byte')} not captured`);
      positions[isClient ? 'client' : 'server'] += length;
    },
  };
  analysis.follow(follower);
  return {
    flowEnded: ({ id }) => {
      highest = Math.max(highest, id);
    },
    notes: () => {
      if (bytesOfFlow > 0) return [];
      if (session.where !== undefined) return [noMatch(number)];
      return [highest < number ? noFlow(number, highest) : `Flow ${number} carried no bytes above TCP or UDP.`];
    },
  };
}

/** With --where flows are seen only as far as they match. */
function noMatch(number: number): string {
  return `Nothing of flow ${number} matches --where; without --where the whole flow is shown.`;
}

function noFlow(number: number, highest: number): string {
  if (highest < 0) return `There is no flow ${number}: the capture has none.`;
  return `There is no flow ${number}: flows are numbered from 0 to ${highest} (-o flows shows them).`;
}
