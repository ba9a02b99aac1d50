import type { AnalysisOutputKind } from '../../analyze/engine/output.ts';
import { EDGE_WHERE_MAXIMUM, type EdgeRequest } from '../../wire/agent-protocol.ts';

/** Forms that are made of what is found alone. Others show packets, or read more than what is found. */
const EDGE_FORMS: ReadonlySet<string> = new Set([
  'text',
  'json',
  'summary',
  'findings',
  'flows',
  'map',
  'trace',
  'csv',
  'custom-columns',
  'jsonpath',
  'template',
]);

export const EDGE_FORM_NAMES = [...EDGE_FORMS];

/** Whether a form can be made of what analyses beside the agents find. */
export function isEdgeForm(name: string): boolean {
  return EDGE_FORMS.has(name);
}

/** What the analyses beside the agents have to look at, for what is made of it here. */
export function edgeRequest(
  kind: AnalysisOutputKind,
  { where, showSecrets }: { readonly where: string | undefined; readonly showSecrets: boolean },
): EdgeRequest {
  const {
    detail,
    labels = false,
    firstLegs = false,
    firstLegsOnly = false,
    traced = false,
    counts = false,
    ownFilter = false,
  } = kind;
  // What looks at single exchanges needs each.
  const isCounted = counts && !detail && where === undefined;
  return {
    detail: detail || where !== undefined,
    labels,
    firstLegs: firstLegs && where === undefined,
    firstLegsOnly: firstLegs && firstLegsOnly && where === undefined,
    traced,
    counts: isCounted,
    ...(isCounted ? { lookups: true } : {}),
    showSecrets,
    // What applies it to its own records needs all of what is found.
    ...(where === undefined || ownFilter || where.length > EDGE_WHERE_MAXIMUM ? {} : { where }),
  };
}
