/**
 * A process that records as the waiting agent does, at a port it prints: KSNOOP_RECORDINGS is its directory, KSNOOP_RECORDINGS_BYTES what they may
 * take, KSNOOP_TICKETS where its keys are, KSNOOP_VOLUMES where volumes are mounted. The name of a pod is that of a network namespace.
 */
import type { AddressInfo } from 'node:net';
import { recordingConnections } from '../../../src/agent/listener/recording-requests.ts';
import { SessionHost } from '../../../src/agent/listener/session-host.ts';
import { listenForSessions } from '../../../src/agent/listener/session-listener.ts';
import { ownTicketGate } from '../../../src/agent/listener/ticket-gate.ts';
import { Recordings } from '../../../src/agent/recording/recordings.ts';
import { Volumes } from '../../../src/agent/recording/volumes.ts';

const log = (text: string) => void process.stderr.write(`${text}\n`);
const host = new SessionHost(log);
const recordings = new Recordings({
  root: process.env.KSNOOP_RECORDINGS ?? '',
  bytes: Number(process.env.KSNOOP_RECORDINGS_BYTES),
  freeBytes: Number(process.env.KSNOOP_RECORDINGS_FREE_BYTES ?? 0),
  volumes: new Volumes(process.env.KSNOOP_VOLUMES),
  resources: host.resources,
  log,
  protect: (owner, task) => host.protect(owner, task),
  targetOf: ({ name, uid }) => ({ kind: 'netns', key: uid, name }),
});
void recordings.load();
const gate = ownTicketGate();
const server = listenForSessions({
  port: 0,
  start: (ended, tickets) => host.start(ended, tickets),
  gate,
  recordings: recordingConnections(recordings, gate),
});
server.once('listening', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
