import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { CaptureAnalysis } from '../../src/analyze/engine/capture-analysis.ts';
import type { FlowFacts } from '../../src/analyze/flow/flow-facts.ts';
import type { KeyLog } from '../../src/analyze/protocols/tls/decrypt/key-log.ts';
import type { AnalysisEvent } from '../../src/analyze/record/event.ts';
import { messageOf } from '../../src/wire/errors.ts';

/** An event with the flow it is of. */
export interface SeenEvent {
  readonly event: AnalysisEvent;
  readonly flow: number;
  readonly client: string;
  readonly server: string;
}

export interface Analysed {
  readonly events: readonly SeenEvent[];
  readonly flows: readonly (FlowFacts & { readonly clientIp: string; readonly serverIp: string })[];
  readonly packets: number;
  readonly copies: number;
  /** Times of the earliest and the latest packet, ns since the first one. */
  readonly earliest: number;
  readonly latest: number;
  /** Why reading stopped before the end. */
  readonly damage: string | undefined;
}

/** Everything the analysis says of a capture's bytes. @param portion cuts them into portions of so many @param keys secrets of TLS connections */
export function analyseBytes(bytes: Uint8Array, detail = true, portion = 1 << 20, keys?: KeyLog): Analysed {
  const events: SeenEvent[] = [];
  const flows: (FlowFacts & { clientIp: string; serverIp: string })[] = [];
  const capture: CaptureAnalysis = new CaptureAnalysis(
    {
      event: (event, flow) => {
        const { hosts } = capture.analysis;
        const client = `${hosts.text(flow.clientHost)}:${flow.clientPort}`;
        const server = `${hosts.text(flow.serverHost)}:${flow.serverPort}`;
        events.push({ event, flow: flow.id, client, server });
      },
      flowEnded: (flow) => {
        const { hosts } = capture.analysis;
        const facts = flow.facts();
        flows.push({ ...facts, clientIp: hosts.text(facts.clientHost), serverIp: hosts.text(facts.serverHost) });
      },
    },
    { detail, showSecrets: false, keys },
  );
  let damage: string | undefined;
  try {
    for (let at = 0; at < bytes.length; at += portion) capture.push(bytes.subarray(at, at + portion));
  } catch (thrown) {
    damage = messageOf(thrown);
  }
  capture.end();
  flows.sort((a, b) => a.id - b.id);
  const { copies, clock } = capture.analysis;
  const { earliest, latest } = clock;
  return { events, flows, packets: capture.framer.packets, copies, earliest, latest, damage };
}

/** Everything the analysis says of a capture file, plain or gzipped. */
export async function analyseFile(path: string, detail = true): Promise<Analysed> {
  const bytes = await readFile(path);
  return analyseBytes(bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes, detail);
}
