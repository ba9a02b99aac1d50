/** One node of one cluster: the name of a node is unique in its cluster only. */
export interface NodeRef {
  /** The cluster's context in the kubeconfig; empty for this machine (`--local`). */
  readonly cluster: string;
  readonly node: string;
}

/** Equal for the same node only. A node's name holds no `/` (RFC 1123), a cluster's may. */
export function nodeKey({ cluster, node }: NodeRef): string {
  return `${node}/${cluster}`;
}

/** The nodes' names for people, by key: with their clusters when there are nodes of several. */
export function nodeLabels(nodes: readonly NodeRef[]): Map<string, string> {
  const several = new Set(nodes.map(({ cluster }) => cluster)).size > 1;
  return new Map(
    nodes.map((ref) => [nodeKey(ref), several && ref.cluster !== '' ? `${ref.cluster}/${ref.node}` : ref.node]),
  );
}
