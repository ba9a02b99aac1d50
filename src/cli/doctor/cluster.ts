import { get } from '../../capture/kube/api.ts';
import { clusterWords } from '../../capture/kube/kube.ts';
import { KsnoopError } from '../../wire/errors.ts';
import { optionalString } from '../../wire/guard.ts';
import { type Check, type Finding, findings, NO_CLUSTER } from './check.ts';

const finding = findings('cluster');

const DAY_MS = 86_400_000;
/** A certificate that ends sooner is worth a word. */
const SOON_DAYS = 7;
/** Above it one feels it. */
const SLOW_MS = 1_000;

/** Whether the API server answers, who it is, and for how long the user's certificate lets it. */
export const cluster: Check = {
  name: 'cluster',
  async look({ kube, signal }) {
    if (kube === undefined) return [finding.skipped(NO_CLUSTER)];
    const since = performance.now();
    let version: string | undefined;
    try {
      version = optionalString(await get(kube, '/version', signal), 'gitVersion');
    } catch (thrown) {
      if (thrown instanceof KsnoopError) return [finding.problem(thrown.message, thrown.hint)];
      throw thrown;
    }
    const milliseconds = Math.round(performance.now() - since);
    const words = `Kubernetes ${version ?? '(unknown version)'}, ${clusterWords(kube)}, answered in ${milliseconds} ms`;
    const found: Finding[] = [milliseconds > SLOW_MS ? finding.warning(`slow: ${words}`) : finding.ok(words)];
    const ends = kube.certificateEnds;
    if (ends !== undefined && ends.getTime() - Date.now() < SOON_DAYS * DAY_MS) {
      found.push(
        finding.warning(
          `your client certificate ends at ${ends.toISOString()}`,
          "get a new one from your cluster's administrator",
        ),
      );
    }
    return found;
  },
};
