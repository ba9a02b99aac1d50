import { usage } from './usage.ts';

/** @throws KsnoopError USAGE (exit 2) for what is neither a code of a finding nor a severity */
export async function checkFailOn(failOn: string): Promise<void> {
  const [{ isSeverity }, { FINDING_CODES }, { CLUSTER_CODES }] = await Promise.all([
    import('../run/analysis/findings.ts'),
    import('../analyze/findings/index.ts'),
    import('../analyze/findings/cluster/index.ts'),
  ]);
  const codes = [...new Set([...FINDING_CODES, ...CLUSTER_CODES])].sort();
  if (isSeverity(failOn) || codes.includes(failOn)) return;
  throw usage(
    `--fail-on knows no "${failOn}".`,
    `It takes error, warning, information, or one of: ${codes.join(', ')}.`,
  );
}
