import type { AboutConnection } from '../../src/analyze/connection-facts.ts';
import type { AnalysisOutputKind } from '../../src/analyze/engine/output.ts';
import { AnalysisSession, type Condition } from '../../src/analyze/engine/session.ts';
import { plainSettings } from './analysis-session.ts';

/**
 * What a form of analysis finds in a capture, as JSON, and the session that found it.
 * @param names by address @param where what matches only @param about what a cluster's objects show
 */
export function analysisLines(
  kind: AnalysisOutputKind,
  bytes: Uint8Array,
  names: Readonly<Record<string, string>> = {},
  where?: Condition,
  about?: AboutConnection,
): { readonly lines: readonly string[]; readonly session: AnalysisSession } {
  const lines: string[] = [];
  const session = new AnalysisSession(
    kind,
    plainSettings({
      line: (line) => void lines.push(line),
      json: true,
      where,
      about,
    }),
  );
  session.addNames(Object.entries(names).map(([address, name]) => ({ address, names: [name] })));
  session.push(bytes);
  session.end();
  return { lines, session };
}
