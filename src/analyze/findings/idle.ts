import { Cases } from './cases.ts';
import { type DetectorKind, serverOf } from './detector.ts';
import type { Finding } from './finding.ts';
import { examplesOf, share, span } from './words.ts';

/** Limits of load balancers and NAT after which they forget an idle connection: seconds, from their manuals. */
const LIMITS: readonly (readonly [seconds: number, whose: string])[] = [
  [240, "Azure's load balancer"],
  [350, 'AWS NLB and NAT gateway'],
  [900, 'IPVS'],
  [1200, "Google Cloud's NAT"],
];
/** A silence this much longer than a limit was ended by it. */
const NEAR = 1.1;

/** Connections that something on the way forgets while they are idle. */
export const idle: DetectorKind = {
  codes: ['IDLE_TIMEOUT'],
  explains: { IDLE_TIMEOUT: ['KEEPALIVE_RACE', 'CLIENT_GAVE_UP'] },
  create: (context) => {
    const failed = new Cases(context.bounds);
    /** By server, ns: the longest silence that a connection survived, the shortest that one did not. */
    const survived = new Map<string, number>();
    const shortest = new Map<string, number>();
    return {
      flowEnded: (facts) => {
        const { tcp, waits, id } = facts;
        if (tcp === undefined || waits === undefined) return;
        const { idleSurvived, idleFailed } = waits;
        if (idleSurvived === undefined && idleFailed === undefined) return;
        const server = serverOf(context, facts, facts.first);
        const one = failed.of(server);
        one.attempts += 1;
        if (idleSurvived !== undefined) survived.set(server, Math.max(survived.get(server) ?? 0, idleSurvived));
        // What one side has closed ends for a known reason.
        if (idleFailed === undefined || tcp.closedBy !== undefined) return;
        one.add(id, idleFailed.end, idleFailed.how === 'reset' ? 'a reset' : 'no answer');
        shortest.set(server, Math.min(shortest.get(server) ?? Number.POSITIVE_INFINITY, idleFailed.idle));
      },
      findings: () => {
        const found: Finding[] = [];
        for (const [subject, one] of failed.counting()) {
          const least = shortest.get(subject) ?? 0;
          const most = survived.get(subject) ?? 0;
          // Without one limit between them it is something else.
          if (most >= least) continue;
          const near = LIMITS.findLast(
            ([seconds]) => most < seconds * 1e9 && least >= seconds * 1e9 && least <= seconds * 1e9 * NEAR,
          );
          const limit = near === undefined ? '' : ` (the limit of ${near[1]} is ${near[0]} s)`;
          found.push({
            code: 'IDLE_TIMEOUT',
            severity: 'warning',
            confidence: 'likely',
            subject,
            message: `Connections to ${subject} are lost while they are idle: after ${span(least)} without packets the next one got ${examplesOf(one)}${limit}.`,
            evidence: [
              one.evidence(
                `${share(one, 'connection')} that had been idle for a minute or longer${most > 0 ? `; others survived ${span(most)}` : ''}`,
              ),
            ],
            next: `Send TCP keep-alives more often than every ${Math.floor(least / 1e9)} s, or close idle connections of the pool sooner.`,
            otherwise: `${subject} was restarted during that time`,
            cases: one.cases,
            attempts: one.attempts,
          });
        }
        return found;
      },
    };
  },
};
