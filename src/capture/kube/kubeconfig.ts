import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path';
import { load } from 'js-yaml';
import { EXIT, KsnoopError, messageOf, systemCode } from '../../wire/errors.ts';
import { isObject, type JsonObject, objectAt, objectsAt, optionalString } from '../../wire/guard.ts';
import { nearest } from '../../wire/near.ts';

/** What a pod is given to talk to its API server (k8s.io/client-go/rest, InClusterConfig). */
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** One context of a kubeconfig with the cluster and user it names, as written there but with absolute paths. */
export interface Selection {
  readonly context: string;
  readonly clusterName: string;
  readonly userName: string;
  readonly namespace: string;
  readonly cluster: JsonObject;
  readonly user: JsonObject;
  /** The file the user's entry comes from: what a hint can name. */
  readonly userFile: string;
}

interface Entry {
  readonly file: string;
  readonly value: JsonObject;
}

/** Kubeconfig members that are paths, relative to their file (k8s.io/client-go/tools/clientcmd, GetClusterFileReferences). */
const CLUSTER_PATHS = ['certificate-authority'];
const USER_PATHS = ['client-certificate', 'client-key', 'tokenFile'];

/**
 * Find and read the kubeconfig as kubectl does: `--kubeconfig`, else the files of KUBECONFIG (missing ones are passed
 * over, the first with a value wins), else ~/.kube/config, else what a pod is given.
 * @throws KsnoopError NO_KUBECONFIG, BAD_KUBECONFIG, CONTEXT_NOT_FOUND
 */
export function selectContext(options: { kubeconfig?: string; context?: string }): Selection {
  const files = kubeconfigFiles(options.kubeconfig);
  const documents = files.found.map(readDocument);
  if (documents.length === 0) {
    if (options.context === undefined && existsSync(join(SERVICE_ACCOUNT, 'token'))) return inCluster();
    throw new KsnoopError('NO_KUBECONFIG', `There is no kubeconfig: looked for ${files.looked.join(', ')}.`, {
      hint: 'Name the cluster: --kubeconfig FILE, or set KUBECONFIG.',
      exit: EXIT.usage,
    });
  }
  const contexts = merged(documents, 'contexts', 'context');
  const name = options.context ?? firstText(documents, 'current-context');
  if (name === undefined) {
    throw new KsnoopError('CONTEXT_NOT_FOUND', `No current context is set in ${files.found.join(', ')}.`, {
      hint: `Name one with --context: ${[...contexts.keys()].join(', ') || 'the file has none'}.`,
      exit: EXIT.usage,
    });
  }
  const context = contexts.get(name);
  if (context === undefined) {
    const near = nearest(name, contexts.keys());
    throw new KsnoopError('CONTEXT_NOT_FOUND', `There is no context "${name}" in ${files.found.join(', ')}.`, {
      hint: near.length > 0 ? `Did you mean ${near.join(' or ')}?` : 'List them: kubectl config get-contexts',
      exit: EXIT.usage,
    });
  }
  return completed(name, context, documents);
}

/** The contexts of the kubeconfig that `selectContext` would read, and the current one. @throws KsnoopError BAD_KUBECONFIG */
export function contextNames(kubeconfig: string | undefined): { names: string[]; current: string | undefined } {
  const documents = kubeconfigFiles(kubeconfig).found.map(readDocument);
  return {
    names: [...merged(documents, 'contexts', 'context').keys()],
    current: firstText(documents, 'current-context'),
  };
}

function completed(name: string, context: Entry, documents: readonly Entry[]): Selection {
  const clusterName = optionalString(context.value, 'cluster') ?? '';
  const cluster = merged(documents, 'clusters', 'cluster').get(clusterName);
  if (cluster === undefined || optionalString(cluster.value, 'server') === undefined) {
    throw bad(context.file, `context "${name}" names the cluster "${clusterName}", which has no server there`);
  }
  const userName = optionalString(context.value, 'user') ?? '';
  const user = merged(documents, 'users', 'user').get(userName);
  if (user === undefined && userName !== '') {
    throw bad(context.file, `context "${name}" names the user "${userName}", which is not there`);
  }
  const userFile = user?.file ?? context.file;
  return {
    context: name,
    clusterName,
    userName,
    namespace: optionalString(context.value, 'namespace') || 'default',
    cluster: withAbsolutePaths(cluster.value, CLUSTER_PATHS, cluster.file),
    user: withPluginPath(withAbsolutePaths(user?.value ?? {}, USER_PATHS, userFile), userFile),
    userFile,
  };
}

function kubeconfigFiles(explicit: string | undefined): { found: string[]; looked: string[] } {
  if (explicit !== undefined) return { found: [explicit], looked: [explicit] };
  const variable = process.env.KUBECONFIG ?? '';
  const looked = variable.split(delimiter).filter((file) => file !== '');
  if (looked.length === 0) looked.push(join(homedir(), '.kube', 'config'));
  return { found: [...new Set(looked)].filter((file) => existsSync(file)), looked };
}

function readDocument(file: string): Entry {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const why = systemCode(cause) === 'ENOENT' ? 'does not exist' : `cannot be read (${systemCode(cause)})`;
    throw new KsnoopError('NO_KUBECONFIG', `The kubeconfig ${file} ${why}.`, {
      hint: 'Give the right file with --kubeconfig or KUBECONFIG.',
      exit: EXIT.usage,
      cause,
    });
  }
  let value: unknown;
  try {
    value = text.trim() === '' ? {} : load(text);
  } catch (cause) {
    throw bad(file, `it is not YAML: ${messageOf(cause).split('\n')[0]}`, cause);
  }
  if (value === null) return { file, value: {} };
  if (!isObject(value)) throw bad(file, 'it is not a kubeconfig: expected a mapping');
  return { file, value };
}

/** Named entries of all files; the first file to name one wins. */
function merged(documents: readonly Entry[], list: string, member: string): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  for (const { file, value } of documents) {
    for (const item of objectsAt(value, list)) {
      const name = optionalString(item, 'name');
      if (name !== undefined && !entries.has(name)) entries.set(name, { file, value: objectAt(item, member) });
    }
  }
  return entries;
}

function firstText(documents: readonly Entry[], key: string): string | undefined {
  return documents.map(({ value }) => optionalString(value, key)).find((text) => text);
}

function withAbsolutePaths(value: JsonObject, keys: readonly string[], file: string): JsonObject {
  const result: Record<string, unknown> = { ...value };
  for (const key of keys) {
    const path = result[key];
    if (typeof path === 'string' && path !== '' && !isAbsolute(path)) result[key] = resolve(dirname(file), path);
  }
  return result;
}

/** A plugin's command with a slash in it is relative to its kubeconfig; without one it is looked up in PATH. */
function withPluginPath(user: JsonObject, file: string): JsonObject {
  const plugin = objectAt(user, 'exec');
  const command = optionalString(plugin, 'command');
  if (command === undefined || !/[\\/]/.test(command) || isAbsolute(command)) return user;
  return { ...user, exec: { ...plugin, command: resolve(dirname(file), command) } };
}

function inCluster(): Selection {
  const host = process.env.KUBERNETES_SERVICE_HOST ?? 'kubernetes.default.svc';
  const namespaceFile = join(SERVICE_ACCOUNT, 'namespace');
  return {
    context: 'in-cluster',
    clusterName: 'in-cluster',
    userName: 'service-account',
    namespace: existsSync(namespaceFile) ? readFileSync(namespaceFile, 'utf8').trim() : 'default',
    cluster: {
      server: `https://${host.includes(':') ? `[${host}]` : host}:${process.env.KUBERNETES_SERVICE_PORT ?? '443'}`,
      'certificate-authority': join(SERVICE_ACCOUNT, 'ca.crt'),
    },
    user: { tokenFile: join(SERVICE_ACCOUNT, 'token') },
    userFile: join(SERVICE_ACCOUNT, 'token'),
  };
}

function bad(file: string, why: string, cause?: unknown): KsnoopError {
  return new KsnoopError('BAD_KUBECONFIG', `The kubeconfig ${file} cannot be used: ${why}.`, {
    hint: 'Look at what kubectl makes of it: kubectl config view',
    exit: EXIT.usage,
    cause,
  });
}
