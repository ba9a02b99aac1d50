/** What a path of the API addresses, in RBAC's terms. */
export interface ResourceAddress {
  readonly group: string;
  /** With its subresource: `pods/exec`. */
  readonly resource: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
}

/** The group of an `apiVersion`: `apps` of `apps/v1`, nothing of the core's `v1`. */
export function apiGroup(api: string): string {
  return api.includes('/') ? (api.split('/')[0] ?? '') : '';
}

/**
 * The path of a resource, each part escaped.
 * @param api `v1` for the core group, `apps/v1` and the like for others
 * @param parts plural, name and subresource, as far as they apply: `resourcePath('v1', 'shop', 'pods', 'web', 'exec')`
 */
export function resourcePath(api: string, namespace: string | undefined, ...parts: readonly string[]): string {
  const root = api.includes('/') ? `/apis/${api}` : `/api/${api}`;
  const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}${scope}/${parts.map(encodeURIComponent).join('/')}`;
}

/** Read a path of the API; undefined for one that addresses no resource (`/version`, `/readyz`). */
export function parseResourcePath(path: string): ResourceAddress | undefined {
  const parts = path
    .split('/')
    .filter((part) => part !== '')
    .map(decodeURIComponent);
  const isCore = parts[0] === 'api';
  if (!isCore && parts[0] !== 'apis') return undefined;
  const group = isCore ? '' : (parts[1] ?? '');
  let rest = parts.slice(isCore ? 2 : 3);
  let namespace: string | undefined;
  if (rest[0] === 'namespaces' && rest.length > 2) {
    namespace = rest[1];
    rest = rest.slice(2);
  }
  const [resource, name, subresource] = rest;
  if (resource === undefined) return undefined;
  return { group, resource: subresource ? `${resource}/${subresource}` : resource, namespace, name };
}

/**
 * The RBAC verbs a request needs (k8s.io/apiserver, RequestInfoFactory). Exec and port-forward over a websocket need
 * `get` for the request and, from Kubernetes 1.35, `create` for what it does.
 */
export function verbsOf(method: string, address: ResourceAddress, watch: boolean): readonly string[] {
  if (/\/(exec|portforward|attach)$/.test(address.resource)) return ['get', 'create'];
  switch (method) {
    case 'POST':
      return ['create'];
    case 'PUT':
      return ['update'];
    case 'PATCH':
      // Server-side apply of an object that does not exist yet is a create as well.
      return ['patch', 'create'];
    case 'DELETE':
      return [address.name === undefined ? 'deletecollection' : 'delete'];
    default:
      if (watch) return ['list', 'watch'];
      return [address.name === undefined ? 'list' : 'get'];
  }
}

/** The rule a Role or ClusterRole lacks, as YAML that can be pasted below `rules:`. */
export function ruleText(address: ResourceAddress, verbs: readonly string[]): string {
  const list = (items: readonly string[]) => `[${items.map((item) => `"${item}"`).join(', ')}]`;
  return `- {apiGroups: ${list([address.group])}, resources: ${list([address.resource])}, verbs: ${list(verbs)}}`;
}

/** The kubectl command that checks a permission. */
export function canICommand(address: ResourceAddress, verb: string, context: string): string {
  const [resource = '', subresource] = address.resource.split('/');
  const typed = address.group === '' ? resource : `${resource}.${address.group}`;
  const words = ['kubectl', '--context', context, 'auth', 'can-i', verb, typed];
  if (subresource) words.push(`--subresource=${subresource}`);
  if (address.namespace !== undefined) words.push('-n', address.namespace);
  return words.join(' ');
}
