import { AnalysisSession } from '../../src/analyze/engine/session.ts';
import type { InterfaceCounts } from '../../src/cli/top/interface-counts.ts';
import { Top, type TopSource } from '../../src/cli/top/model.ts';
import type { CaptureState } from '../../src/view/top/model.ts';
import { plainSettings } from './analysis-session.ts';

const NOTHING: CaptureState = {
  source: 'test.pcap',
  packets: 0,
  bytes: 0,
  targets: [],
  nodes: [],
  remarks: [],
  memory: 0,
  gaps: 0,
  bounds: [],
};

/** The model of `ksnoop top` without a file or a capture: what a test pushes into its session. */
export function topModel(source: Partial<TopSource> = {}): { readonly model: Top; readonly session: AnalysisSession } {
  const model = new Top({
    live: false,
    trouble: undefined,
    position: 1,
    reading: undefined,
    replaying: false,
    capture: (counts: InterfaceCounts) => ({ ...NOTHING, packets: counts.packets, bytes: counts.bytes }),
    ...source,
  });
  const session = new AnalysisSession(model.kind, plainSettings());
  return { model, session };
}
