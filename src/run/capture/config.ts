import type { TransportPreference } from '../../capture/agents/transport-preference.ts';
import type { PluginTerminal } from '../../capture/kube/exec-plugin.ts';
import type { CaptureLimits } from '../../capture/streams/capture.ts';
import type { EdgeRequest } from '../../wire/agent-protocol.ts';
import type { TargetSelection } from './target-query.ts';

/** A capture as it will be run: complete, validated, never changed. */
export interface CaptureConfig extends TargetSelection, CaptureLimits {
  /** Targets as the user wrote them: `svc/web`, with `local` also `netns/NAME`. */
  readonly targets: readonly string[];
  /** Capture on this machine, without an API server. */
  readonly local: boolean;
  readonly kubeconfig: string | undefined;
  /** Context of the kubeconfig; undefined: the current one. Several with commas or as patterns: `prod-*,staging`. */
  readonly context: string | undefined;
  /** Where a credential plugin may ask its user to log in. */
  readonly pluginTerminal?: PluginTerminal | undefined;
  /** How the agents are reached. */
  readonly transport: TransportPreference;
  /** Only the ports that this container declares. */
  readonly container: string | undefined;
  /** Of pods on their node's network: all of the node's traffic. */
  readonly wholeNode: boolean;
  readonly interface: string;
  /** pcap-filter(7). */
  readonly filter: string | undefined;
  /** Bytes kept of each packet. */
  readonly snaplen: number;
  /** Bring the nodes' times to this machine's clock. */
  readonly correctClocks: boolean;
  /** How long a packet waits for an earlier one of another interface; undefined: as limits.ts has it. */
  readonly mergeWindowMs?: number | undefined;
  /** Up to how much that wait grows while packets come late; undefined: it does not. */
  readonly mergeWindowLimitMs?: number | undefined;
  /** Whether the output has use for the state of the captured network namespaces; it has unless set. */
  readonly state?: boolean | undefined;
  /** The packets are analysed on their nodes. */
  readonly edge?: EdgeRequest | undefined;
}
