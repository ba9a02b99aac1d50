import type { Finding } from '../../analyze/findings/finding.ts';
import type { EventRecord } from '../../analyze/record/record.ts';
import { Colours } from '../colour.ts';
import { findingLines } from '../finding-lines.ts';
import { clockText } from '../time-text.ts';
import { latencyText } from '../units.ts';
import type { Detail } from './detail-view.ts';
import { packetLines } from './exchange-packets.ts';
import { flowDetail } from './flow-detail.ts';
import {
  FINDING_EVENTS_SEARCHED,
  FINDING_EXCHANGES_SHOWN,
  FINDING_FLOWS_SHOWN,
  FLOW_PACKETS_SEARCHED,
} from './limits.ts';
import { type Line, LOOK, line, span } from './line.ts';
import type { TopModel } from './model.ts';
import type { LineSource } from './pane.ts';

const PLAIN = new Colours(false);

/** A finding with what shows it, as it is kept when it is opened: exchanges, flows, and the packets of the first flow. */
export function findingDetail(model: TopModel, finding: Finding): Detail {
  const flows = [...new Set(finding.evidence.flatMap((each) => each.flows))].slice(0, FINDING_FLOWS_SHOWN);
  const exchanges = exchangesOf(model, new Set(flows));
  const { timeText } = model.findings;
  const shown = flows.flatMap((flow) => flowLines(model, flow));
  const [first] = flows;
  const packets = first === undefined ? [] : model.packets.ofFlow(first, FLOW_PACKETS_SEARCHED);
  return (width): readonly LineSource[] => {
    const [head = '', ...rest] = findingLines(finding, { colours: PLAIN, utc: false, width, timeText });
    const look = finding.severity === 'error' ? LOOK.failure : LOOK.warning;
    return [
      line(span(head, finding.severity === 'information' ? LOOK.plain : look)),
      ...rest.map((text) => line(span(text))),
      ...exchanges,
      ...shown,
      line(span('')),
      ...packetLines(packets, packets.length, width),
    ];
  };
}

function flowLines(model: TopModel, flow: number): readonly Line[] {
  const facts = model.flows.facts.find(({ id }) => id === flow);
  const title = [line(span('')), line(span(`Flow ${flow}`, LOOK.name))];
  if (facts === undefined)
    return [...title, line(span('no longer in the flow list (evicted or filtered out)', LOOK.aside))];
  return [...title, ...flowDetail(model, facts)];
}

/** The last exchanges and events of flows, the newest last. */
function exchangesOf(model: TopModel, flows: ReadonlySet<number>): readonly Line[] {
  const { first, end } = model.events;
  const found: EventRecord[] = [];
  const least = Math.max(first, end - FINDING_EVENTS_SEARCHED);
  for (let number = end - 1; number >= least && found.length < FINDING_EXCHANGES_SHOWN; number -= 1) {
    const record = model.events.at(number);
    if (record !== undefined && flows.has(record.flow)) found.push(record);
  }
  if (found.length === 0) return [];
  return [line(span('')), line(span('Exchanges and events', LOOK.name)), ...found.reverse().map(exchangeLine)];
}

function exchangeLine({ time, label, status, code, latency, failed, flow }: EventRecord): Line {
  const rest = [status, code, latency === undefined ? undefined : latencyText(latency)].filter((each) => each);
  return line(
    span(`${clockText(time)}  `, LOOK.aside),
    span(`flow ${flow}  `, LOOK.aside),
    span([label, ...rest].join('  '), failed ? LOOK.failure : LOOK.plain),
  );
}
