import { type InstallStatus, status } from '../../capture/install/status.ts';
import { KsnoopError } from '../../wire/errors.ts';
import { VERSION } from '../../wire/version.ts';
import { type Check, type Finding, findings, NO_CLUSTER } from './check.ts';

const finding = findings('agents');

/** Whether they are there, ready, on every node, and of our version. */
export const agents: Check = {
  name: 'agents',
  async look({ kube, signal }) {
    if (kube === undefined) return [finding.skipped(NO_CLUSTER)];
    let installed: InstallStatus;
    try {
      installed = await status(kube, signal);
    } catch (thrown) {
      if (thrown instanceof KsnoopError) return [finding.problem(thrown.message, thrown.hint)];
      throw thrown;
    }
    if (!installed.installed) return [finding.problem('they are not installed', 'ksnoop install --image IMAGE')];
    const found: Finding[] = [];
    if (installed.trouble !== '')
      found.push(finding.problem(installed.trouble, 'kubectl describe daemonset -n ksnoop ksnoop-agent'));
    for (const node of installed.nodes) {
      if (node.state === 'ready' && node.reason === '') continue;
      const message = `node ${node.node}: ${node.state}${node.reason === '' ? '' : `, ${node.reason}`}`;
      const fix = node.pod === '' ? '' : `kubectl describe pod -n ksnoop ${node.pod}`;
      // A node that is down has no pods to capture either, and an agent that is ready again captures.
      found.push(
        node.nodeDown || node.state === 'being replaced' || node.state === 'ready'
          ? finding.warning(message, fix)
          : finding.problem(message, fix),
      );
    }
    const { captures } = installed;
    if (captures !== undefined && (captures.ready < captures.desired || captures.missing.length > 0)) {
      const absent = captures.missing.map((name) => `, ${name} is missing`).join('');
      const message = `Captures of tenants: ${captures.ready} of ${captures.desired} controllers ready${absent}`;
      const stops = captures.ready === 0 || captures.missing.length > 0;
      const fix =
        captures.missing.length > 0
          ? 'ksnoop install --captures'
          : 'kubectl describe deployment -n ksnoop ksnoop-controller';
      found.push(stops ? finding.problem(message, fix) : finding.warning(message, fix));
    }
    if (installed.version !== '' && installed.version !== VERSION) {
      const message = `they were installed by ksnoop ${installed.version}, and this is ${VERSION}`;
      found.push(finding.warning(message, `ksnoop install --image IMAGE-OF-${VERSION}`));
    }
    if (found.length === 0)
      found.push(finding.ok(`${installed.ready} of ${installed.desired} ready, image ${installed.image}`));
    return found;
  },
};
