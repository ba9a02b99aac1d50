import { STREAM_PROTOCOLS } from './index.ts';
import type { StreamProtocol } from './protocol.ts';

/** What one look at the first bytes gave. Reused: read it at once. */
export class Recognition {
  protocol: StreamProtocol | undefined;
  /** Whether the bytes were the server's words; undefined where they may be either's. */
  fromServer: boolean | undefined = false;
  /** Some protocol needs more bytes to decide. */
  undecided = false;

  /** Ask every protocol, those whose usual port it is first. */
  look(bytes: Uint8Array, start: number, end: number, serverPort: number, clientPort: number): void {
    this.protocol = undefined;
    this.undecided = false;
    const hinted = BY_PORT.get(serverPort) ?? BY_PORT.get(clientPort);
    if (hinted !== undefined) {
      for (const protocol of hinted) if (this.#ask(protocol, bytes, start, end)) return;
    }
    for (const protocol of STREAM_PROTOCOLS) {
      if (hinted?.includes(protocol) || protocol.notOn?.includes(serverPort)) continue;
      if (this.#ask(protocol, bytes, start, end)) return;
    }
  }

  #ask(protocol: StreamProtocol, bytes: Uint8Array, start: number, end: number): boolean {
    const likeness = protocol.probe(bytes, start, end);
    if (likeness === 'no') return false;
    if (likeness === 'more') {
      this.undecided = true;
      return false;
    }
    this.protocol = protocol;
    this.fromServer = likeness === 'either' ? undefined : likeness === 'server';
    return true;
  }
}

const BY_PORT: ReadonlyMap<number, readonly StreamProtocol[]> = byPort();

function byPort(): Map<number, StreamProtocol[]> {
  const ports = new Map<number, StreamProtocol[]>();
  for (const protocol of STREAM_PROTOCOLS) {
    for (const port of protocol.ports) ports.set(port, [...(ports.get(port) ?? []), protocol]);
  }
  return ports;
}
