import { EXEC_CAPTURES, EXEC_FILE_BYTES, HOSTED_CAPTURES, SPOOL_FILE_BYTES, SPOOL_FILES_BYTES } from '../limits.ts';
import { ContainerMemory } from '../netns/container-memory.ts';
import { isInCluster } from '../netns/node.ts';
import { DiskBudget } from '../spool/disk-budget.ts';
import { MemoryBudget } from '../spool/memory-budget.ts';
import { takeCaptureSlot, tooManyCaptures } from './capture-slot.ts';
import { CapturedCounts } from './captured-counts.ts';
import { RingBudget } from './ring-budget.ts';

/** What the sessions of a process share. */
export interface Resources {
  readonly memory: MemoryBudget;
  readonly disk: DiskBudget;
  readonly rings: RingBudget;
  /**
   * Take a place for one more capture. @returns gives the place back
   * @throws KsnoopError TOO_MANY_SESSIONS when all are taken
   */
  takePlace(): Promise<() => void>;
  /** Processes of the container that the kernel has killed for lack of memory; undefined where they are not counted. */
  kills(): number | undefined;
  /** What the sessions of each Capture have captured. */
  readonly captured: CapturedCounts;
  /** The file of the container's log, where it is known. */
  readonly log: string | undefined;
}

/** Of a process with one session: exec'd in the agent's container, or started for `--local`. */
export function ownResources(): Resources {
  const container = isInCluster() ? new ContainerMemory() : undefined;
  const memory = new MemoryBudget(container ?? { free: () => undefined });
  const takePlace = async () => {
    if (!isInCluster()) return () => {};
    const slot = await takeCaptureSlot(EXEC_CAPTURES);
    return () => void slot.close();
  };
  return {
    memory,
    disk: new DiskBudget(EXEC_FILE_BYTES, EXEC_FILE_BYTES),
    takePlace,
    rings: new RingBudget(),
    kills: () => container?.kills(),
    captured: new CapturedCounts(),
    log: undefined,
  };
}

/** Of the waiting process, which hosts many sessions. */
export function hostResources(container: ContainerMemory): Resources {
  const memory = new MemoryBudget(container);
  let taken = 0;
  const takePlace = async () => {
    if (taken >= HOSTED_CAPTURES) throw tooManyCaptures(HOSTED_CAPTURES);
    taken += 1;
    return () => {
      taken -= 1;
    };
  };
  return {
    memory,
    disk: new DiskBudget(SPOOL_FILES_BYTES, SPOOL_FILE_BYTES),
    takePlace,
    rings: new RingBudget(),
    kills: () => container.kills(),
    captured: new CapturedCounts(),
    log: '/proc/self/fd/1',
  };
}
