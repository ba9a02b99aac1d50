import { type JsonObject, objectAt, objectsAt } from '../wire/guard.ts';

/** The admission policy and its binding (daemonset/captures/policy.yaml). */
export const POLICY_NAME = 'captures.ksnoop.io';

/** The user that the controller is; the policy lets it write the status. */
export const CONTROLLER_USER = 'system:serviceaccount:ksnoop:ksnoop-controller';

/** What the policy must contain for Captures to be admitted: the same as in policy.yaml, which a test compares. */
const MATCH_CONDITION = `request.userInfo.username != '${CONTROLLER_USER}'`;

const VARIABLES: Readonly<Record<string, string>> = {
  ns: 'request.namespace',
  exec: "authorizer.group('').resource('pods').subresource('exec').namespace(variables.ns).check('create').allowed()",
  capture: "authorizer.group('ksnoop.io').resource('captures').namespace(variables.ns).check('capture').allowed()",
  changed: 'oldObject == null || object.spec != oldObject.spec',
  created: 'oldObject == null',
};

const VALIDATIONS: readonly string[] = [
  "!has(request.subResource) || request.subResource != 'status'",
  '!variables.changed || variables.exec || variables.capture',
  "!variables.changed || !object.spec.hostNetwork || authorizer.group('ksnoop.io').resource('captures').check('capture-host-network').allowed()",
  '!variables.created || object.spec.requestedBy == request.userInfo.username',
  '!variables.created || !has(object.spec.requestedByGroups) || object.spec.requestedByGroups.all(group, group in request.userInfo.groups)',
  '!variables.created || !has(object.spec.requestedByExtra) || object.spec.requestedByExtra.all(key, has(request.userInfo.extra) && key in request.userInfo.extra && object.spec.requestedByExtra[key].all(value, value in request.userInfo.extra[key]))',
  'variables.created || (object.spec.?filter == oldObject.spec.?filter && object.spec.?snaplen == oldObject.spec.?snaplen && object.spec.?hostNetwork == oldObject.spec.?hostNetwork && object.spec.?limits == oldObject.spec.?limits && object.spec.?trigger == oldObject.spec.?trigger && object.spec.?storage == oldObject.spec.?storage && object.spec.?clientKey == oldObject.spec.?clientKey && object.spec.?requestedBy == oldObject.spec.?requestedBy && object.spec.?requestedByGroups == oldObject.spec.?requestedByGroups && object.spec.?requestedByExtra == oldObject.spec.?requestedByExtra && object.spec.?targets == oldObject.spec.?targets)',
  '!variables.changed || !has(object.spec.fetch) || (oldObject != null && object.spec.?fetch == oldObject.spec.?fetch) || (object.spec.fetch.by == request.userInfo.username && (!has(object.spec.fetch.groups) || object.spec.fetch.groups.all(group, group in request.userInfo.groups)))',
];

/** Whether Captures are protected by the policy. */
export type PolicyState =
  /** @property since milliseconds since 1970: Captures made before are not protected by it */
  | { readonly protects: true; readonly since: number }
  /** @property why the end of a sentence: `the policy is missing` */
  | { readonly protects: false; readonly why: string };

/**
 * Whether the policy and its binding are there, and are those of this ksnoop. Both are compared by what decides: an edited one
 * does not count.
 * @param policy the ValidatingAdmissionPolicy as the API server has it, or undefined
 * @param binding the ValidatingAdmissionPolicyBinding, or undefined
 * @param since when both became what they are, milliseconds since 1970; asked only where they protect
 */
export function policyState(
  policy: JsonObject | undefined,
  binding: JsonObject | undefined,
  since: (policy: JsonObject, binding: JsonObject) => number,
): PolicyState {
  if (policy === undefined) return missing(`ValidatingAdmissionPolicy ${POLICY_NAME} does not exist`);
  if (binding === undefined) return missing(`ValidatingAdmissionPolicyBinding ${POLICY_NAME} does not exist`);
  const why = differenceOf(objectAt(policy, 'spec')) ?? bindingDifference(objectAt(binding, 'spec'));
  if (why !== undefined) return missing(why);
  return { protects: true, since: since(policy, binding) };
}

function missing(why: string): PolicyState {
  return { protects: false, why };
}

function differenceOf(spec: JsonObject): string | undefined {
  const differs = (what: string) =>
    `ValidatingAdmissionPolicy ${POLICY_NAME} differs from that of this ksnoop: ${what}`;
  if (spec.failurePolicy !== 'Fail') return differs('failurePolicy');
  if (spec.paramKind !== undefined) return differs('paramKind');
  const match = objectAt(spec, 'matchConstraints');
  if (narrows(match) || !coversCaptures(match)) return differs('matchConstraints');
  const conditions = objectsAt(spec, 'matchConditions').map(({ expression }) => expression);
  if (conditions.length > 1 || (conditions.length === 1 && conditions[0] !== MATCH_CONDITION)) {
    return differs('matchConditions');
  }
  const variables = objectsAt(spec, 'variables');
  if (!variables.every(({ name, expression }) => VARIABLES[String(name)] === expression)) return differs('variables');
  const validations = new Set(objectsAt(spec, 'validations').map(({ expression }) => expression));
  if (!VALIDATIONS.every((expression) => validations.has(expression))) return differs('validations');
  return undefined;
}

/** Whether a matchConstraints or matchResources excludes anything. */
function narrows(match: JsonObject): boolean {
  const selects = (key: string) => Object.keys(objectAt(match, key)).length > 0;
  return (
    objectsAt(match, 'excludeResourceRules').length > 0 || selects('namespaceSelector') || selects('objectSelector')
  );
}

function coversCaptures(match: JsonObject): boolean {
  const has = (rule: JsonObject, key: string, ...wanted: string[]) => {
    const list = rule[key];
    return Array.isArray(list) && (list.includes('*') || wanted.every((item) => list.includes(item)));
  };
  return objectsAt(match, 'resourceRules').some(
    (rule) =>
      has(rule, 'apiGroups', 'ksnoop.io') &&
      has(rule, 'apiVersions', 'v1alpha1') &&
      has(rule, 'resources', 'captures', 'captures/status') &&
      has(rule, 'operations', 'CREATE', 'UPDATE') &&
      (rule.scope === undefined || rule.scope === '*' || rule.scope === 'Namespaced') &&
      !(Array.isArray(rule.resourceNames) && rule.resourceNames.length > 0),
  );
}

function bindingDifference(spec: JsonObject): string | undefined {
  const differs = (what: string) =>
    `ValidatingAdmissionPolicyBinding ${POLICY_NAME} differs from that of this ksnoop: ${what}`;
  if (spec.policyName !== POLICY_NAME) return differs('policyName');
  if (!(Array.isArray(spec.validationActions) && spec.validationActions.includes('Deny'))) {
    return differs('validationActions');
  }
  if (spec.paramRef !== undefined) return differs('paramRef');
  const match = objectAt(spec, 'matchResources');
  if (narrows(match) || objectsAt(match, 'resourceRules').length > 0) return differs('matchResources');
  return undefined;
}
