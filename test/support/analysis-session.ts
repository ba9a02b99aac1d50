import type { AnalysisOutputKind } from '../../src/analyze/engine/output.ts';
import { AnalysisSession, type SessionSettings } from '../../src/analyze/engine/session.ts';

/** Settings of a session of which nothing special is wanted: no colours, no JSON, all packets, secrets masked. */
export function plainSettings(settings: Partial<SessionSettings> = {}): SessionSettings {
  return {
    line: () => undefined,
    colour: false,
    align: false,
    width: undefined,
    json: false,
    where: undefined,
    choice: undefined,
    showSecrets: false,
    ...settings,
  };
}

/** What a form of analysis prints of a capture, and the session that found it. */
export function analysed(
  kind: AnalysisOutputKind,
  bytes: Uint8Array,
  settings: Partial<Omit<SessionSettings, 'line'>> = {},
): { readonly lines: string[]; readonly session: AnalysisSession } {
  const lines: string[] = [];
  const session = new AnalysisSession(kind, plainSettings({ ...settings, line: (line) => void lines.push(line) }));
  session.push(bytes);
  session.end();
  return { lines, session };
}
