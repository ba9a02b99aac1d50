import { spawn } from 'node:child_process';
import { KsnoopError, messageOf, systemCode } from '../../wire/errors.ts';
import { isObject, type JsonObject, objectAt, objectsAt, optionalString, stringsAt } from '../../wire/guard.ts';
import { PLUGIN_OUTPUT_MAXIMUM, PLUGIN_TIMEOUT_MS } from './limits.ts';

/** What proves the user: a token, or a client certificate with its key (both PEM), until `expires`. */
export interface Credentials {
  readonly token?: string;
  readonly certificate?: string;
  readonly key?: string;
  /** Milliseconds since the epoch; undefined: until the server refuses them. */
  readonly expires?: number;
}

/** Where a plugin may ask its user to log in. */
export interface PluginTerminal {
  /** Whether the plugin may read this process's stdin. */
  readonly interactive: boolean;
  /** Text of the plugin's stderr, as it comes: a device code, a browser address. */
  show(text: string): void;
}

const NO_TERMINAL: PluginTerminal = { interactive: false, show: () => {} };

const STDERR_KEPT = 4096;

/**
 * Run the credential plugin of a kubeconfig user (client.authentication.k8s.io, ExecCredential). We run it ourselves
 * because a plugin that asks for a login writes to stderr and reads stdin, and some need KUBERNETES_EXEC_INFO.
 * @param plugin the user's `exec` entry
 * @param cluster the cluster's entry, given to the plugin when its entry asks for it (provideClusterInfo)
 * @param terminal left out: the plugin cannot ask anything
 * @throws KsnoopError CREDENTIAL_PLUGIN_MISSING or CREDENTIAL_PLUGIN_FAILED with the plugin's message
 */
export async function runExecPlugin(
  plugin: JsonObject,
  cluster: JsonObject,
  terminal: PluginTerminal = NO_TERMINAL,
): Promise<Credentials> {
  const command = optionalString(plugin, 'command') ?? '';
  const mode = optionalString(plugin, 'interactiveMode');
  const interactive = mode !== 'Never' && terminal.interactive;
  if (mode === 'Always' && !interactive) {
    throw failed(command, 'it needs a terminal, and there is none');
  }
  const apiVersion = optionalString(plugin, 'apiVersion') ?? 'client.authentication.k8s.io/v1';
  const environment: NodeJS.ProcessEnv = {
    ...process.env,
    KUBERNETES_EXEC_INFO: JSON.stringify({
      kind: 'ExecCredential',
      apiVersion,
      spec: { interactive, ...(plugin.provideClusterInfo === true && { cluster: clusterInfo(cluster) }) },
    }),
  };
  for (const variable of objectsAt(plugin, 'env')) {
    const name = optionalString(variable, 'name');
    if (name) environment[name] = optionalString(variable, 'value') ?? '';
  }
  const words = Array.isArray(plugin.args) ? plugin.args.map(String) : [];
  const output = await outputOf(
    { command, words, env: environment, interactive, installHint: optionalString(plugin, 'installHint') },
    terminal,
  );
  return readCredential(command, output);
}

interface PluginCall {
  readonly command: string;
  readonly words: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly interactive: boolean;
  readonly installHint: string | undefined;
}

function outputOf(
  { command, words, env, interactive, installHint }: PluginCall,
  terminal: PluginTerminal,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const stdio = [interactive ? 'inherit' : 'ignore', 'pipe', 'pipe'] as const;
    const child = spawn(command, words, { env, stdio: [...stdio], timeout: PLUGIN_TIMEOUT_MS });
    let output = '';
    let errors = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      if (output.length <= PLUGIN_OUTPUT_MAXIMUM) output += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      terminal.show(text);
      errors = (errors + text).slice(-STDERR_KEPT);
    });
    child.on('error', (cause) => {
      if (systemCode(cause) !== 'ENOENT') return reject(failed(command, messageOf(cause), cause));
      reject(
        new KsnoopError(
          'CREDENTIAL_PLUGIN_MISSING',
          `The kubeconfig's credential plugin "${command}" is not installed.`,
          {
            hint: installHint?.trim() || `Install ${command}, or put it in PATH; kubectl needs it too.`,
            cause,
          },
        ),
      );
    });
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(output);
      const end = signal === null ? `it ended with exit code ${code}` : `it was ended by ${signal}`;
      reject(failed(command, errors.trim() === '' ? end : `${end} and wrote: ${lastLines(errors)}`));
    });
  });
}

function readCredential(command: string, output: string): Credentials {
  let credential: unknown;
  try {
    credential = JSON.parse(output);
  } catch (cause) {
    throw failed(command, 'its output is not JSON', cause);
  }
  if (!isObject(credential) || credential.kind !== 'ExecCredential') {
    throw failed(command, 'its output is not an ExecCredential');
  }
  const status = stringsAt(credential, 'status');
  if (!status.token && !(status.clientCertificateData && status.clientKeyData)) {
    throw failed(command, 'it gave neither a token nor a certificate with its key');
  }
  const expires = Date.parse(status.expirationTimestamp ?? '');
  return {
    ...(status.token && { token: status.token }),
    ...(status.clientCertificateData && { certificate: status.clientCertificateData }),
    ...(status.clientKeyData && { key: status.clientKeyData }),
    ...(Number.isFinite(expires) && { expires }),
  };
}

/** The cluster in the members of ExecCredential's spec; `config` is the extension for the plugin. */
function clusterInfo(cluster: JsonObject): JsonObject {
  const extension = objectsAt(cluster, 'extensions').find((item) => item.name === 'client.authentication.k8s.io/exec');
  const { extensions: _, 'certificate-authority': __, ...rest } = cluster;
  return { ...rest, ...(extension && { config: objectAt(extension, 'extension') }) };
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-3).join(' / ');
}

function failed(command: string, why: string, cause?: unknown): KsnoopError {
  return new KsnoopError(
    'CREDENTIAL_PLUGIN_FAILED',
    `The kubeconfig's credential plugin "${command}" gave no credentials: ${why}.`,
    { hint: 'See that kubectl can log in with the same context: kubectl auth whoami', cause },
  );
}
