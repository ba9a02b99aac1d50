/** A time without packets that a closing summary states; seconds since 1970. */
export interface StatedGap {
  readonly node: string;
  readonly from: number;
  /** Since when counts of the node are incomplete: before `from`, where its agent adds up what it finds. */
  readonly since: number;
  readonly until: number;
}

/** The gaps that a closing summary states, in its order. */
export function gapsIn(stderr: string): StatedGap[] {
  const pattern =
    /GAP: no packets from (\S+) from (\S+) (?:to the end|for (?:(\d+) min )?([\d.]+) (ms|s))(?:, and counts since (\S+) are incomplete)?:/g;
  return [...stderr.matchAll(pattern)].map(([, node = '', start = '', minutes = '0', rest, unit, incomplete]) => {
    const from = Date.parse(start) / 1000;
    const since = incomplete === undefined ? from : Date.parse(incomplete) / 1000;
    if (rest === undefined) return { node, from, since, until: Number.POSITIVE_INFINITY };
    return { node, from, since, until: from + Number(minutes) * 60 + Number(rest) * (unit === 'ms' ? 0.001 : 1) };
  });
}
