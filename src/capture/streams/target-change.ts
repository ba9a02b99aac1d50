import type { AgentTarget } from '../../wire/agent-target.ts';
import type { KsnoopError } from '../../wire/errors.ts';
import type { NamedAddress } from '../../wire/pcapng-write.ts';
import type { NodeAccess } from './node-stream.ts';

/** A change to what a capture captures, in the streams' terms. */
export type TargetChange =
  /** A target to capture, or what has changed about one. */
  | {
      readonly type: 'added';
      readonly node: NodeAccess;
      readonly target: AgentTarget;
      readonly label: string;
      /** What its addresses are called. */
      readonly names: readonly NamedAddress[];
    }
  | { readonly type: 'gone'; readonly key: string }
  /** It cannot be captured. */
  | { readonly type: 'refused'; readonly label: string; readonly error: KsnoopError }
  /** The capture ends for good, in order, whatever its targets are. */
  | { readonly type: 'ended'; readonly message: string }
  /** A message for the user. */
  | { readonly type: 'note'; readonly message: string };

/**
 * Emits changes until the signal aborts; then it returns. Never rejects.
 * @param started resolves when the first targets are captured, or after FIRST_PACKETS_MS: requests need not start earlier,
 *   while agents start
 */
export type FollowChanges = (
  emit: (change: TargetChange) => void,
  signal: AbortSignal,
  started: Promise<void>,
) => Promise<void>;
