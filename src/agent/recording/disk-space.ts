import { statfsSync } from 'node:fs';
import { DISK_LOOK_MS, RECORDINGS_FREE_SHARE } from '../limits.ts';

/** What statfs(2) has of a disk, bytes. */
interface Disk {
  readonly size: number;
  readonly free: number;
}

/** The free space of the disk that recordings share with everything else of the node. */
export class DiskSpace {
  readonly #root: string;
  readonly #freeBytes: number | undefined;
  #disk: Disk | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;
  /** Bytes that recordings have written since. */
  #written = 0;

  /**
   * @param root a directory of the disk
   * @param freeBytes what recordings leave free; left out: RECORDINGS_FREE_SHARE of the disk
   */
  constructor(root: string, freeBytes?: number) {
    this.#root = root;
    this.#freeBytes = freeBytes;
  }

  /** Bytes that recordings may write now, negative where they leave less than they should; infinite where the system does not tell. */
  get left(): number {
    const disk = this.#look();
    return disk === undefined ? Number.POSITIVE_INFINITY : disk.free - this.#written - this.#stayFree(disk);
  }

  /** Recordings have written bytes. */
  wrote(bytes: number): void {
    this.#written += bytes;
  }

  /** Why nothing more is to be written, a sentence; undefined where there is room. */
  shortage(bytes: number): string | undefined {
    if (this.left >= bytes) return undefined;
    // Others may have removed something: nothing ends for a look that is old.
    this.#lookedAt = Number.NEGATIVE_INFINITY;
    return this.left >= bytes ? undefined : `The node's disk is nearly full: ${this.words}.`;
  }

  /** `3 MiB are free, of which recordings leave 4 MiB` */
  get words(): string {
    const disk = this.#look();
    if (disk === undefined) return 'its free space is not known';
    return `${mebibytes(disk.free)} are free, of which recordings leave ${mebibytes(this.#stayFree(disk))}`;
  }

  #stayFree({ size }: Disk): number {
    return this.#freeBytes ?? Math.ceil(size * RECORDINGS_FREE_SHARE);
  }

  #look(): Disk | undefined {
    if (performance.now() < this.#lookedAt + DISK_LOOK_MS) return this.#disk;
    this.#lookedAt = performance.now();
    this.#written = 0;
    try {
      const { bsize, blocks, bavail } = statfsSync(this.#root);
      this.#disk = { size: blocks * bsize, free: bavail * bsize };
    } catch {
      this.#disk = undefined;
    }
    return this.#disk;
  }
}

/** @returns `1,234 MiB` */
export function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024).toLocaleString('en-US')} MiB`;
}
