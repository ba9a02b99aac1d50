import { createPrivateKey, type KeyObject, randomUUID } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { AGENT_NAMESPACE } from '../capture/agent-objects.ts';
import { OWN_LABELS } from '../capture/install/objects.ts';
import { find } from '../capture/kube/api.ts';
import { loadKube } from '../capture/kube/config.ts';
import type { Kube } from '../capture/kube/kube.ts';
import { resourcePath } from '../capture/kube/resource.ts';
import { CAPTURE_API } from '../capture/tenant/capture-object.ts';
import { messageOf } from '../wire/errors.ts';
import { Gate } from '../wire/gate.ts';
import { VERSION } from '../wire/version.ts';
import { serveCaptures } from './controller.ts';
import { whileElected } from './election.ts';
import { LIST_BYTES, LIST_PAGE_BYTES, LISTS } from './limits.ts';
import { policyRecords } from './policy-record.ts';
import { destinationsIn } from './recording/destinations.ts';

/** As daemonset/captures/controller.yaml mounts them. */
const KEY_FILE = process.env.KSNOOP_TICKET_KEY ?? '/etc/ksnoop/key/private.pem';
const READY_FILE = process.env.KSNOOP_READY_FILE ?? '/run/ksnoop/ready';
const DESTINATIONS = process.env.KSNOOP_DESTINATIONS ?? '/etc/ksnoop/destinations';
const DESTINATION_KEYS = process.env.KSNOOP_DESTINATION_KEYS ?? '/etc/ksnoop/destination-keys';
const LEASE = 'ksnoop-controller';

const log = (line: string) => void process.stderr.write(`${new Date().toISOString()} ${line}\n`);

if (process.argv[2] === '--version') process.stdout.write(`${VERSION}\n`);
else await main();

/** Until SIGTERM or SIGINT. */
async function main(): Promise<void> {
  const abort = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => abort.abort());
  try {
    const key = signingKey();
    const gate = new Gate(LISTS);
    const kube = await loadKube({
      lists: { pageBytes: LIST_PAGE_BYTES, bytes: LIST_BYTES, turn: (task) => gate.run(task) },
    });
    // Pods may have the same name one after the other (hostname), replicas of a local test even at a time.
    const identity = `${process.env.POD_NAME ?? 'controller'}_${randomUUID().slice(0, 8)}`;
    await isReadable(kube, abort.signal);
    writeFileSync(READY_FILE, '1');
    const election = { kube, namespace: AGENT_NAMESPACE, name: LEASE, labels: OWN_LABELS, identity, log };
    const destination = destinationsIn(DESTINATIONS, DESTINATION_KEYS);
    let failure: unknown;
    const records = policyRecords(kube, AGENT_NAMESPACE, LEASE);
    const work = async (signal: AbortSignal) => {
      try {
        await serveCaptures({ kube, key, identity, destination, log, records }, signal);
      } catch (thrown) {
        failure = thrown;
        abort.abort();
      }
    };
    await whileElected(election, work, abort.signal);
    kube.close();
    if (failure !== undefined) throw failure;
  } catch (thrown) {
    if (!abort.signal.aborted || !(thrown instanceof Error && thrown.name === 'AbortError')) {
      log(`ksnoop-controller: ${messageOf(thrown)}`);
      process.exitCode = 1;
    }
  } finally {
    rmSync(READY_FILE, { force: true });
  }
}

/** @throws Error when the file is no Ed25519 key */
function signingKey(): KeyObject {
  const key = createPrivateKey(readFileSync(KEY_FILE));
  if (key.asymmetricKeyType === 'ed25519') return key;
  throw new Error(`${KEY_FILE} has a key for ${key.asymmetricKeyType}; tickets are signed with Ed25519`);
}

/** A replica that cannot even read Captures is not ready. */
async function isReadable(kube: Kube, signal: AbortSignal): Promise<void> {
  await find(kube, resourcePath(CAPTURE_API, undefined, 'captures'), signal);
}
