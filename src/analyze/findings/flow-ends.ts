import type { FlowFacts, FlowIdentity } from '../flow/flow-facts.ts';
import type { Hosts } from '../identity/hosts.ts';

/** Flows whose ends are remembered, a power of two: a later flow takes the place of an earlier one. */
const FLOWS = 65_536;

/** Different servers and clients that one filter names, at most. */
const NAMED = 4;

/** Remembers where flows go, for a capture filter that shows their packets. */
export class FlowEnds {
  readonly #hosts: Hosts;
  readonly #flows = new Int32Array(FLOWS);
  readonly #servers = new Int32Array(FLOWS);
  readonly #clients = new Int32Array(FLOWS);
  readonly #ports = new Int32Array(FLOWS);
  /** By flow: its leg behind NAT that was taken first. */
  readonly #legs = new Int32Array(FLOWS);
  readonly #legOf = new Int32Array(FLOWS);

  constructor(hosts: Hosts) {
    this.#hosts = hosts;
  }

  add({ id, serverHost, serverPort, clientHost }: FlowIdentity | FlowFacts): void {
    const slot = id & (FLOWS - 1);
    if (this.#flows[slot] === id + 1) return;
    this.#flows[slot] = id + 1;
    this.#servers[slot] = serverHost;
    this.#ports[slot] = serverPort;
    this.#clients[slot] = clientHost;
  }

  /** Whether no other leg of a flow was taken before: a connection may be seen at several places behind NAT. */
  isOnlyLeg(leg: number, first: number): boolean {
    const slot = first & (FLOWS - 1);
    if (this.#legOf[slot] !== first + 1) {
      this.#legOf[slot] = first + 1;
      this.#legs[slot] = leg;
    }
    return this.#legs[slot] === leg;
  }

  /**
   * The packets of flows, and of what else their clients send to the same ports, as a pcap-filter(7) expression:
   * `host 10.0.0.2 and port 80 and host 10.0.0.1`. Undefined where the flows are forgotten, or have too many ends.
   */
  filter(flows: readonly number[]): string | undefined {
    const servers = new Set<string>();
    const clients = new Set<string>();
    for (const id of flows) {
      const slot = id & (FLOWS - 1);
      const [server, client] = [this.#servers[slot] as number, this.#clients[slot] as number];
      if (this.#flows[slot] !== id + 1 || server < 0 || client < 0) return undefined;
      const port = this.#ports[slot] as number;
      servers.add(
        port === 0 ? `host ${this.#hosts.text(server)}` : `host ${this.#hosts.text(server)} and port ${port}`,
      );
      clients.add(`host ${this.#hosts.text(client)}`);
    }
    if (servers.size === 0 || servers.size > NAMED) return undefined;
    const to = oneOf(servers);
    if (clients.size > 1) return to;
    return `${servers.size > 1 ? `(${to})` : to} and ${oneOf(clients)}`;
  }
}

function oneOf(terms: ReadonlySet<string>): string {
  const [first = '', ...others] = terms;
  return others.length === 0 ? first : [...terms].map((term) => `(${term})`).join(' or ');
}
