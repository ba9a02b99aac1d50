import type { EdgeRequest } from '../../wire/agent-protocol.ts';
import type { AnalysisForm } from '../analysis/form.ts';

/** Forms that are made of what is found alone. Others show packets, or read more than what is found. */
const EDGE_FORMS: ReadonlySet<string> = new Set([
  'text',
  'json',
  'summary',
  'findings',
  'flows',
  'map',
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

/** What the analyses beside the agents have to look at, for a form of output. */
export async function edgeRequest(
  form: AnalysisForm,
  { where, showSecrets }: { readonly where: string | undefined; readonly showSecrets: boolean },
): Promise<EdgeRequest> {
  const { detail, labels = false, firstLegs = false } = await form.load();
  return {
    detail: detail || where !== undefined,
    labels,
    firstLegs: firstLegs && where === undefined,
    showSecrets,
  };
}
