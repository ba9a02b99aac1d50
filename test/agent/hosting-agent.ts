/** A process that hosts sessions as the waiting agent does, at a port it prints; a target that is added to one breaks it. */
import type { AddressInfo } from 'node:net';
import { SessionHost } from '../../src/agent/listener/session-host.ts';
import { listenForSessions } from '../../src/agent/listener/session-listener.ts';
import { ownTicketGate } from '../../src/agent/listener/ticket-gate.ts';
import { CaptureSession } from '../../src/agent/session/capture-session.ts';

CaptureSession.prototype.add = () => {
  setTimeout(() => {
    throw new Error('broken by a test');
  });
};
const host = new SessionHost((text) => process.stderr.write(`${text}\n`));
const server = listenForSessions({
  port: 0,
  start: (ended, tickets) => host.start(ended, tickets),
  admits: () => host.admits(),
  gate: ownTicketGate(),
});
server.once('listening', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
