import type { PodView } from '../capture/kube/pod.ts';
import { objectsAt, optionalString } from '../wire/guard.ts';
import type { SealedTicket } from '../wire/ticket.ts';
import type { CaptureView } from './capture-object.ts';
import type { TargetProblems } from './followed-pods.ts';
import type { PolicyState } from './policy.ts';
import type { Condition, Phase, Verdict } from './status.ts';

/** Why nothing of a Capture is captured. `final`: nothing but another Capture changes that. */
export interface Refusal {
  readonly reason: 'PolicyMissing' | 'Forbidden' | 'Invalid' | 'NoDestination' | 'TooManyCaptures';
  readonly message: string;
  readonly final: boolean;
}

/** Whether the policy protects this Capture; undefined when it does. */
export function policyRefusal(capture: CaptureView, policy: PolicyState): Refusal | undefined {
  const refuse = (message: string, final: boolean): Refusal => ({ reason: 'PolicyMissing', message, final });
  if (!policy.protects) {
    return refuse(`${policy.why}: no Capture is admitted. Apply it: ksnoop install --captures`, false);
  }
  if (capture.created >= policy.since) return undefined;
  return refuse(
    'It was created before its admission policy was in force, or before the policy was last changed: make another Capture.',
    true,
  );
}

/** Why a Capture has ended; undefined while it has not. @param now milliseconds since 1970 */
export function endOf(capture: CaptureView, now: number): Condition | undefined {
  const complete = (reason: string, message: string): Condition => ({
    type: 'Complete',
    status: 'True',
    reason,
    message,
  });
  if (now >= capture.ends) return complete('DurationReached', 'limits.duration was reached.');
  if (capture.stopped || capture.deleted) return complete('Stopped', 'It was stopped (spec.state).');
  return undefined;
}

/** What a recording that has ended says of its end; undefined while it has not, and of live captures. */
export function settledBy({ recording, status }: CaptureView): Condition | undefined {
  if (recording === undefined || status.phase !== 'Complete') return undefined;
  const known = objectsAt(status, 'conditions').find(({ type }) => type === 'Complete') ?? {};
  const text = (key: string) => optionalString(known, key) ?? '';
  return { type: 'Complete', status: 'True', reason: text('reason') || 'Stopped', message: text('message') };
}

/** The verdict on a Capture of which nothing is captured. */
export function refused(refusal: Refusal): Verdict {
  const { reason, message, final } = refusal;
  const phase: Phase = final ? 'Refused' : 'Pending';
  return nothing(phase, [
    { type: 'Admitted', status: 'False', reason, message },
    policyCondition(reason === 'PolicyMissing' ? message : undefined),
    { type: 'Capturing', status: 'False', reason: 'NotAdmitted', message: 'Nothing is captured.' },
    { type: 'Complete', status: 'False', reason: phase, message: '' },
  ]);
}

/** The verdict on a Capture that has ended. */
export function ended(complete: Condition): Verdict {
  return nothing('Complete', [
    complete,
    { type: 'Capturing', status: 'False', reason: 'Complete', message: 'Nothing is captured any more.' },
  ]);
}

/** The verdict on a Capture whose client may capture. */
export function admitted(
  pods: readonly PodView[],
  failed: ReadonlyMap<PodView, string>,
  tickets: readonly SealedTicket[],
  problems: TargetProblems,
): Verdict {
  const count = pods.length - failed.size;
  const words = `${count} of ${pods.length} pods have tickets`;
  const conditions: Condition[] = [
    ...admittedConditions(),
    count === 0
      ? { type: 'Capturing', status: 'False', reason: 'NoPods', message: words }
      : // Packets flow between client and agents; the controller does not see them.
        { type: 'Capturing', status: 'Unknown', reason: 'ByClient', message: `${words}: the client captures them` },
    degraded(failed, problems),
    { type: 'Complete', status: 'False', reason: 'Running', message: '' },
  ];
  return { phase: count === 0 ? 'Pending' : 'Running', conditions, pods, failed, tickets };
}

/** The conditions of whatever is admitted. */
export function admittedConditions(): Condition[] {
  const message = 'The policy and the permissions of requestedBy allow it.';
  return [{ type: 'Admitted', status: 'True', reason: 'Allowed', message }, policyCondition(undefined)];
}

/** Why not all of the targets' pods are captured, a sentence each. */
export function degradedReasons(
  failed: ReadonlyMap<PodView, string>,
  { missing, waiting }: TargetProblems,
): readonly string[] {
  return [...new Set([...[...missing, ...waiting].map(({ message }) => message), ...failed.values()])];
}

/** Of a Capture whose targets do not all have pods, the word for that; undefined where they have. */
export function problemWord({ missing, waiting }: TargetProblems): string | undefined {
  if (missing.length > 0) return 'TargetsNotFound';
  return waiting.length > 0 ? 'TargetsWithoutPods' : undefined;
}

function degraded(failed: ReadonlyMap<PodView, string>, problems: TargetProblems): Condition {
  const reasons = degradedReasons(failed, problems);
  if (reasons.length === 0) return { type: 'Degraded', status: 'False', reason: 'AsWanted', message: '' };
  const reason = problemWord(problems) ?? 'PodsNotCaptured';
  return { type: 'Degraded', status: 'True', reason, message: reasons.join(' ') };
}

function policyCondition(why: string | undefined): Condition {
  if (why === undefined) return { type: 'PolicyMissing', status: 'False', reason: 'InForce', message: '' };
  return { type: 'PolicyMissing', status: 'True', reason: 'PolicyMissing', message: why };
}

function nothing(phase: Phase, conditions: readonly Condition[]): Verdict {
  return { phase, conditions, pods: [], failed: new Map(), tickets: [] };
}
