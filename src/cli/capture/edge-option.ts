import type { CaptureConfig } from '../../run/capture/config.ts';
import type { CapturePlan } from '../../run/capture/plan.ts';
import { EDGE_FORM_NAMES, isEdgeForm } from '../../run/outputs/edge.ts';
import type { Logger } from '../logger.ts';
import { usage } from '../usage.ts';

/** What `--edge` does not go with, as commander passes it. */
export interface RawEdgeOptions {
  readonly edge?: boolean;
  readonly report?: string;
  readonly keylog?: string;
  readonly clients?: boolean;
  readonly count?: string;
  readonly maxBytes?: string;
}

/** From so many nodes on packets are analysed there, unless the user says otherwise. */
const MANY_NODES = 16;

/** Forms that are the same with and without packets: the others show single packets that no protocol decodes. */
const SAME_FORMS: ReadonlySet<string> = new Set(['summary', 'findings', 'flows', 'map', 'csv']);

/** Forms that show no packets and are not made of what agents find all the same, each with the reason. */
const REFUSED_FORMS: Readonly<Record<string, string>> = {
  state: 'The state output shows what the kernel counted, and --edge is about packets.',
  'summary-state':
    'With --edge there is no summary-state output: a saved summary does not show that it is of a sample.',
};

/** Whether the packets are analysed on their nodes; `many`: from MANY_NODES nodes on. */
export type EdgeChoice = boolean | 'many';

/**
 * Whether the packets are analysed on their nodes.
 * @param output the name of the form
 * @throws KsnoopError USAGE (exit 2) with what needs the packets here, where --edge was given
 */
export function chooseEdge(raw: RawEdgeOptions, output: string, capture: CaptureConfig): EdgeChoice {
  if (raw.edge !== undefined) return completeEdge(raw, output, capture);
  if (!SAME_FORMS.has(output) || capture.local || capture.transport.agentless !== undefined) return false;
  try {
    return completeEdge({ ...raw, edge: true }, output, capture) ? 'many' : false;
  } catch {
    return false;
  }
}

/**
 * Whether --edge was given, and is possible.
 * @param output the name of the form
 * @throws KsnoopError USAGE (exit 2) with what needs the packets here
 */
export function completeEdge(raw: RawEdgeOptions, output: string, { transport }: CaptureConfig): boolean {
  if (raw.edge !== true) return false;
  const without = 'Leave out --edge, or write the packets with -w and read them: ksnoop read FILE';
  if (!isEdgeForm(output)) {
    const packets = `The ${output} output shows packets or their bytes, and with --edge they stay on their nodes.`;
    throw usage(REFUSED_FORMS[output] ?? packets, `With --edge there are: ${EDGE_FORM_NAMES.join(', ')}.`);
  }
  if (raw.report !== undefined)
    throw usage('--report shows packets, and with --edge they stay on their nodes.', without);
  if (raw.keylog !== undefined) {
    throw usage('--keylog decrypts packets on this machine, and with --edge they stay on their nodes.', without);
  }
  if (raw.clients === true) {
    throw usage('--clients looks for peers in the packets, and with --edge they stay on their nodes.', without);
  }
  if (raw.count !== undefined || raw.maxBytes !== undefined) {
    throw usage('--count and --max-bytes count packets that come here, and with --edge none do.', 'Use --duration.');
  }
  const mode = transport.agentless?.mode;
  if (mode !== undefined && mode !== 'node') {
    throw usage('--edge needs an agent on the node.', 'Use --agentless=node, or install the agents: ksnoop install');
  }
  if (transport.asTenant === true) {
    throw usage('--edge is not available to tenants: its analysis takes the memory of the agent.');
  }
  return true;
}

/** Whether the packets of a plan are analysed on their nodes. What the user does not expect is logged. */
export function analysedOnNodes(
  choice: EdgeChoice,
  { plans, asTenant }: Pick<CapturePlan, 'plans' | 'asTenant'>,
  log: Logger,
): boolean {
  // An agent analyses nothing for a session with tickets: only here it is known that the capture is one of a tenant.
  if (asTenant === true) {
    if (choice === true) log.warn('--edge is not available to tenants: the packets come to this machine');
    return false;
  }
  if (choice !== 'many') return choice;
  if (plans.length < MANY_NODES) return false;
  log.info(`the packets of ${plans.length} nodes are analysed there (--edge); --no-edge brings them here`);
  return true;
}
