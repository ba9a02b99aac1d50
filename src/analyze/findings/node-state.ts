/** Counters of a network namespace by their names (`TcpExt.ListenOverflows`, `nf_conntrack_count`). */
export type Counters = Readonly<Record<string, number>>;

/** State of one network namespace at the start and at the end of a capture. */
export interface NamespaceState {
  /** The interface of the capture that it belongs to, by name: `shop/web-1/any`. */
  readonly interfaceName: string;
  readonly start: Counters;
  readonly end: Counters;
  /** Sockets that listen, at the end; undefined where they could not be read. */
  readonly listening: readonly { readonly address: string; readonly port: number }[] | undefined;
}

/** What nodes knew besides the packets; undefined members were not read. */
export interface NodeState {
  readonly namespaces: readonly NamespaceState[];
}
