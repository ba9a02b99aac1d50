import type { CaptureRequest } from '../../wire/agent-protocol.ts';
import { FILTER_SHOWN } from '../limits.ts';
import type { LogEntry } from './container-log.ts';
import type { NamespaceCapture } from './namespace-capture.ts';

/** The user that a ticket names, and the UID of the Capture object. */
export interface CaptureOwner {
  readonly user: string;
  readonly capture: string;
}

/**
 * What the container's log has of a network namespace that is captured.
 * @param owner whose capture it is
 */
export function captureEntry(
  { namespace, targets }: NamespaceCapture,
  request: Pick<CaptureRequest, 'interface' | 'filter'>,
  owner: CaptureOwner | undefined,
): LogEntry {
  const [target] = targets.values();
  const { others } = namespace;
  return {
    event: 'capture',
    user: owner?.user,
    object: owner?.capture,
    kind: target?.kind,
    uid: namespace.owner?.pod,
    container: namespace.owner?.container,
    inode: namespace.inode,
    otherNamespaces: others > 0 ? others : undefined,
    interface: request.interface,
    filter: request.filter?.slice(0, FILTER_SHOWN),
    claimed: namespace.name,
  };
}
