import { FINDING_SUBJECTS } from '../limits.ts';
import { Case } from './cases.ts';
import { type DetectorKind, serverIdentity } from './detector.ts';
import type { Finding } from './finding.ts';
import { counted } from './words.ts';

/** So many different pairs of pods: one pair may have another reason. */
const LEAST_PAIRS = 3;

/** Connections between the pods of two nodes, in one direction. */
interface Path {
  readonly failed: Case;
  readonly pairs: Set<string>;
  succeeded: boolean;
}

/** No pod of one node reaches a pod of another, while both nodes have connections that work: the path between them is broken. */
export const nodePath: DetectorKind = {
  codes: ['NODE_PATH_BROKEN'],
  flows: 'named',
  create: (context) => {
    const paths = new Map<string, Path>();
    /** Nodes whose pods had a connection that succeeded, as client or as server. */
    const working = new Set<string>();
    return {
      flowEnded: (facts) => {
        const { tcp, id, first } = facts;
        if (tcp === undefined || tcp.midstream) return;
        const server = serverIdentity(context, facts, first);
        const client = context.names.ofHost(facts.clientHost, first, facts.interfaceId);
        if (server?.node === undefined || client?.node === undefined) return;
        if (server.pod === undefined || client.pod === undefined) return;
        // A reset is an answer too: the packet went there and back.
        const hasAnswer = tcp.state !== 'unanswered';
        if (hasAnswer && working.size < FINDING_SUBJECTS) working.add(client.node).add(server.node);
        if (client.node === server.node) return;
        const key = JSON.stringify([client.node, server.node]);
        let path = paths.get(key);
        if (path === undefined) {
          if (paths.size >= FINDING_SUBJECTS) return;
          path = { failed: new Case(), pairs: new Set(), succeeded: false };
          paths.set(key, path);
        }
        path.failed.attempts += 1;
        if (hasAnswer) path.succeeded = true;
        else if (tcp.syns > 1) {
          path.failed.add(id, first, client.text);
          if (path.pairs.size < FINDING_SUBJECTS) path.pairs.add(`${client.text} ${server.text}`);
        }
      },
      findings: () => {
        const found: Finding[] = [];
        for (const [key, { failed, pairs, succeeded }] of paths) {
          const [from, to] = JSON.parse(key) as [string, string];
          if (succeeded || pairs.size < LEAST_PAIRS || !working.has(from) || !working.has(to)) continue;
          found.push({
            code: 'NODE_PATH_BROKEN',
            severity: 'error',
            confidence: 'likely',
            subject: `${from} → ${to}`,
            message: `No pod of node ${from} reaches a pod of node ${to}: ${counted(failed.cases, 'connection')} between ${pairs.size} pairs of pods got no response to the SYN.`,
            evidence: [
              failed.evidence('pods of both nodes have other connections that work', 'code == "TCP_NO_ANSWER"'),
            ],
            next: `Check the network between the nodes: the overlay's port (VXLAN: UDP 8472 or 4789), routes, firewalls. To see where the SYN is lost: ksnoop trace node/${from} node/${to}`,
            otherwise: 'a network policy denies these pairs',
            cases: failed.cases,
            attempts: failed.attempts,
          });
        }
        return found;
      },
    };
  },
};
