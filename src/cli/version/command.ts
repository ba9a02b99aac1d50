import { EXIT, type ExitCode } from '../../wire/errors.ts';
import { PROTOCOL_TEXT, VERSION } from '../../wire/version.ts';
import { textOrJson } from '../usage.ts';
import { clientLine, type Versions } from './versions.ts';

/** What commander hands over for `ksnoop version`. */
export interface RawVersionOptions {
  readonly client?: boolean;
  readonly output?: string;
  readonly context?: string;
  readonly kubeconfig?: string;
}

/**
 * `ksnoop version`: this program and the agents of the cluster. A cluster that cannot be reached is said and is no failure,
 * as with kubectl version.
 */
export async function versionCommand(raw: RawVersionOptions): Promise<ExitCode> {
  const form = textOrJson(raw.output, 'version');
  const client = { version: VERSION, protocol: PROTOCOL_TEXT, node: process.versions.node };
  const text = form === 'json' ? asJson : asText;
  process.stdout.write(`${await text(raw.client === true ? { client } : await withCluster({ client }, raw))}\n`);
  return EXIT.done;
}

// Each is loaded only where it is needed: the client alone is shown as soon as the program has started.

async function withCluster(versions: Versions, raw: RawVersionOptions): Promise<Versions> {
  const { clusterVersions } = await import('./agents.ts');
  return { ...versions, ...(await clusterVersions(raw)) };
}

async function asText(versions: Versions): Promise<string> {
  if (versions.cluster === undefined && versions.error === undefined) return clientLine(versions.client);
  const { versionLines } = await import('./agents.ts');
  return versionLines(versions).join('\n');
}

async function asJson(versions: Versions): Promise<string> {
  const { jsonLines } = await import('../../view/json-line.ts');
  return jsonLines(versions);
}
