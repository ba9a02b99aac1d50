/** Flows that are remembered, a power of two: as many as the detectors remember. A later flow takes the place of an earlier one. */
const FLOWS = 4_096;

/** By flow: the last lookup of an address that was added up, for the query that was sent with it may be lost. */
export class LastLookups<Row> {
  readonly #flows = new Int32Array(FLOWS);
  readonly #rows = new Array<Row | undefined>(FLOWS).fill(undefined);
  readonly #times = new Float64Array(FLOWS);
  readonly #latencies = new Float64Array(FLOWS);

  /** @param flow its number @param time of the query, ns @param latency from then to its response, ns */
  set(flow: number, row: Row, time: number, latency: number): void {
    const slot = flow & (FLOWS - 1);
    this.#flows[slot] = flow + 1;
    this.#rows[slot] = row;
    this.#times[slot] = time;
    this.#latencies[slot] = latency;
  }

  /** Undefined where none is remembered. */
  of(flow: number): { readonly row: Row; readonly time: number; readonly latency: number } | undefined {
    const slot = flow & (FLOWS - 1);
    const row = this.#rows[slot];
    if (this.#flows[slot] !== flow + 1 || row === undefined) return undefined;
    return { row, time: this.#times[slot] as number, latency: this.#latencies[slot] as number };
  }

  forget(flow: number): void {
    const slot = flow & (FLOWS - 1);
    if (this.#flows[slot] !== flow + 1) return;
    this.#flows[slot] = 0;
    this.#rows[slot] = undefined;
  }
}
