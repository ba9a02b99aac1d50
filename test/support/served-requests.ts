import { expect } from 'vitest';
import type { TestCluster } from './cluster.ts';
import { kubectl, type ShopPod } from './shop.ts';

/** A request as nginx logged it. */
export interface Served {
  /** When its response was sent: seconds since 1970. */
  readonly seconds: number;
  /** Which pod answered. */
  readonly pod: ShopPod;
}

/**
 * What the shop's web pods served of a run by their logs, in which each line is one request.
 * @param run what the client named its run, or the beginning of several runs' names
 * @returns by path and query, which differ from request to request: `/ok?run=RUN&n=3`
 */
export async function servedRequests(
  on: TestCluster,
  web: readonly ShopPod[],
  run: string,
): Promise<Map<string, Served>> {
  const found = new Map<string, Served>();
  for (const pod of web) {
    const log = await kubectl(on, 'logs', '-n', 'shop', pod.name, '--timestamps');
    for (const [, time = '', label = ''] of log.matchAll(/^(\S+) \S+ "GET (\/ok\?run=\S+) HTTP[^"]*" \d+ /gm)) {
      if (!label.includes(`run=${run}`)) continue;
      expect(found.has(label), `${label} is in the logs twice`).toBe(false);
      found.set(label, { seconds: Date.parse(time) / 1000, pod });
    }
  }
  return found;
}
