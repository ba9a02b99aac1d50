/** A time without packets that a closing summary states; seconds since 1970. */
export interface StatedGap {
  readonly node: string;
  readonly from: number;
  readonly until: number;
}

/** The gaps that a closing summary states, in its order. */
export function gapsIn(stderr: string): StatedGap[] {
  const pattern = /GAP: no packets from (\S+) from (\S+) (?:to the end|for (?:(\d+) min )?([\d.]+) (ms|s)):/g;
  return [...stderr.matchAll(pattern)].map(([, node = '', since = '', minutes = '0', rest, unit]) => {
    const from = Date.parse(since) / 1000;
    if (rest === undefined) return { node, from, until: Number.POSITIVE_INFINITY };
    return { node, from, until: from + Number(minutes) * 60 + Number(rest) * (unit === 'ms' ? 0.001 : 1) };
  });
}
