/** What the cluster's objects show about a connection, beside its packets. */
export interface ConnectionFacts {
  /** NetworkPolicies that isolate one of its pods; undefined where none does, or they could not be read. */
  readonly policies: PoliciesOfConnection | undefined;
  /** How kube-proxy translates Services' addresses; undefined where its configuration could not be read, or no Service was called. */
  readonly proxyMode: string | undefined;
}

export interface PoliciesOfConnection {
  /** `namespace/name`: those that deny the connection, otherwise those that isolate its pods. */
  readonly names: readonly string[];
  /** `unknown`: it depends on objects that were not read. */
  readonly verdict: 'denied' | 'allowed' | 'unknown';
}

/**
 * Looks up a TCP connection. Addresses: RFC 5952 text, as the client has them, in front of a Service's translation.
 * @returns undefined while the objects are not known
 */
export type AboutConnection = (client: string, server: string, port: number) => ConnectionFacts | undefined;
