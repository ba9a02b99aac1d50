import { agentCpu } from './agent-cpu.ts';
import { deltas } from './deltas.ts';
import { edgeBytes } from './edge-bytes.ts';
import { endToEnd } from './end-to-end.ts';
import { fiftyPods } from './fifty-pods.ts';
import { firstPacket } from './first-packet.ts';
import { idleAgent } from './idle-agent.ts';
import { mergeNodes } from './merge.ts';
import { portForward } from './port-forward.ts';
import { READ_BENCHES } from './read.ts';
import { topScreen } from './top-screen.ts';
import { transport } from './transport.ts';
import { twoClusters } from './two-clusters.ts';

/** Every benchmark, in the order in which they run. */
export const BENCHES = [
  firstPacket,
  twoClusters,
  fiftyPods,
  transport,
  portForward,
  endToEnd,
  agentCpu,
  idleAgent,
  mergeNodes,
  deltas,
  edgeBytes,
  ...READ_BENCHES,
  topScreen,
] as const;
