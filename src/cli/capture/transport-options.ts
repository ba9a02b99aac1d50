import { AGENTLESS_MODES, type AgentlessPreference, PUBLIC_IMAGE } from '../../capture/agentless/preference.ts';
import { TRANSPORTS, type TransportPreference } from '../../capture/agents/transport-preference.ts';
import { RESUME_WINDOW_MAXIMUM_MS, RESUME_WINDOW_MINIMUM_MS, RESUME_WINDOW_MS } from '../../wire/limits.ts';
import { COMPRESSIONS } from '../../wire/session-frame.ts';
import { usage } from '../usage.ts';
import { durationOf } from '../values.ts';

/** The flags that choose the way to the agents, as commander hands them over. */
export interface RawTransportOptions {
  readonly transport?: string;
  readonly asTenant?: boolean;
  readonly resumeWindow?: string;
  readonly compress?: string;
  /** true: the flag without a value. */
  readonly agentless?: string | true;
  readonly agentlessImage?: string;
  readonly agentlessProgram?: string;
  readonly agentImage?: string;
}

/** Complete and validate them. @throws KsnoopError USAGE (exit 2) */
export function completeTransport(raw: RawTransportOptions, local: boolean): TransportPreference {
  if (local && (raw.transport ?? raw.resumeWindow ?? raw.compress) !== undefined) {
    throw usage(
      '--local has its agent on this machine: --transport, --resume-window and --compress have no meaning with it.',
    );
  }
  const agentless = completeAgentless(raw, local);
  if (raw.asTenant && (local || agentless !== undefined || (raw.transport ?? 'auto') === 'exec')) {
    throw usage(
      '--as-tenant reaches the agents by port-forward: --local, --agentless and --transport exec exclude it.',
    );
  }
  const name = raw.transport ?? 'auto';
  const transport = TRANSPORTS.find((known) => known === name);
  if (transport === undefined) throw usage(`There is no transport "${name}".`, `There are: ${TRANSPORTS.join(', ')}.`);
  const compress = COMPRESSIONS.find((known) => known === (raw.compress ?? 'auto'));
  if (compress === undefined) throw usage(`--compress takes ${COMPRESSIONS.join(', ')}, not "${raw.compress}".`);
  return {
    transport,
    compress,
    resumeWindowMs: windowOf(raw.resumeWindow),
    agentless,
    ...(raw.asTenant && { asTenant: true }),
  };
}

function completeAgentless(raw: RawTransportOptions, local: boolean): AgentlessPreference | undefined {
  // Images may be the configuration's, for the captures that use them.
  if (raw.agentless === undefined) return undefined;
  if (local) throw usage('--local captures on this machine: --agentless has no meaning with it.');
  if ((raw.transport ?? raw.resumeWindow ?? raw.compress) !== undefined) {
    throw usage('--transport, --resume-window and --compress are about agents, and --agentless does without them.');
  }
  const name = raw.agentless === true ? 'auto' : raw.agentless;
  const mode = AGENTLESS_MODES.find((known) => known === name);
  if (mode === undefined) throw usage(`--agentless takes ${AGENTLESS_MODES.join(', ')}, not "${name}".`);
  if (mode === 'existing' && raw.agentlessImage !== undefined) {
    throw usage('--agentless=existing uses the containers of the pod: --agentless-image has no meaning with it.');
  }
  return { mode, image: raw.agentlessImage ?? PUBLIC_IMAGE, agentImage: raw.agentImage, program: raw.agentlessProgram };
}

function windowOf(text: string | undefined): number {
  if (text === undefined) return RESUME_WINDOW_MS;
  const milliseconds = durationOf(text, '--resume-window');
  if (milliseconds >= RESUME_WINDOW_MINIMUM_MS && milliseconds <= RESUME_WINDOW_MAXIMUM_MS) {
    return Math.round(milliseconds);
  }
  const [least, most] = [RESUME_WINDOW_MINIMUM_MS / 1000, RESUME_WINDOW_MAXIMUM_MS / 60_000];
  throw usage(`--resume-window takes ${least}s to ${most}m, not "${text}".`);
}
