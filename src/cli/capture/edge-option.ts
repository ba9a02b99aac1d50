import type { CaptureConfig } from '../../run/capture/config.ts';
import { EDGE_FORM_NAMES, isEdgeForm } from '../../run/outputs/edge.ts';
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

/**
 * Whether the packets are analysed on their nodes.
 * @param output the name of the form
 * @throws KsnoopError USAGE (exit 2) with what needs the packets here
 */
export function completeEdge(raw: RawEdgeOptions, output: string, { transport }: CaptureConfig): boolean {
  if (raw.edge !== true) return false;
  const without = 'Leave out --edge, or write the packets with -w and read them: ksnoop read FILE';
  if (!isEdgeForm(output)) {
    throw usage(
      `The ${output} output shows packets or their bytes, and with --edge they stay on their nodes.`,
      `With --edge there are: ${EDGE_FORM_NAMES.join(', ')}.`,
    );
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
