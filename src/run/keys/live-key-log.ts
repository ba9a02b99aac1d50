import { KeyLog } from '../../analyze/protocols/tls/decrypt/key-log.ts';
import { followKeyLog } from './follow-key-log.ts';
import { type PodKeyLog, parsePodKeyLog } from './pod-key-log.ts';

/** The secrets of `--keylog` while a capture runs. */
export class LiveKeyLog {
  readonly keys = new KeyLog();
  /** A file that the capture has to fetch from its pods; undefined where none is. */
  readonly inPods: PodKeyLog | undefined;
  readonly #closed = new AbortController();
  readonly #followed: Promise<void>;

  /**
   * @param keyLog a file on this machine, which is read from now on, or one in pods; undefined: no secrets
   * @throws KsnoopError USAGE
   */
  constructor(keyLog: string | undefined) {
    this.inPods = keyLog === undefined ? undefined : parsePodKeyLog(keyLog);
    const path = this.inPods === undefined ? keyLog : undefined;
    this.keys.growing = keyLog !== undefined;
    this.#followed = path === undefined ? Promise.resolve() : followKeyLog(path, this.keys, this.#closed.signal);
  }

  /** Read a file a last time. */
  async close(): Promise<void> {
    this.#closed.abort();
    await this.#followed;
  }
}
