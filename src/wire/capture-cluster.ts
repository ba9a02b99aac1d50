import { captureInterface } from './capture-interface.ts';
import { NAME_BYTES_MAXIMUM } from './limits.ts';
import { type AddressNames, addressNames } from './name-resolution-read.ts';
import { BLOCK, padded } from './pcapng.ts';
import type { BlockView } from './pcapng-read.ts';
import {
  interfaceDescription,
  type NamedAddress,
  nameRecords,
  nameResolution,
  plainBlock,
  withComment,
} from './pcapng-write.ts';

/**
 * How a capture of several clusters keeps which cluster an interface and a name are of. An interface is called
 * `CONTEXT/namespace/pod/any`, and `cluster=CONTEXT` (percent-encoded) stands in its description. Names of addresses are in blocks
 * of their own, one cluster each: those of pcapng (Name Resolution Blocks) hold for the whole file, and the pod networks of
 * clusters often overlap.
 */

/** Bytes of a names block before its cluster's name: type, length, the name's length in 16 bits, 16 bits of zeros. */
const CLUSTER_AT = 12;

const CLUSTER = /(?:^| )cluster=(\S+)/;

/** The cluster that an interface's description names; empty where it names none. */
export function clusterOf(description: string): string {
  const text = CLUSTER.exec(description)?.[1];
  if (text === undefined || text.length > 3 * NAME_BYTES_MAXIMUM) return '';
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** An agent's Interface Description Block (little-endian, as ksnoop writes it) as one of a cluster. */
export function withCluster(block: BlockView, cluster: string): Uint8Array {
  const { linkType, snaplen, name, description, filter, comments } = captureInterface(block);
  const encoded = interfaceDescription({
    linkType,
    snaplen,
    name: name === '' ? '' : `${cluster}/${name}`,
    description: `cluster=${encodeURIComponent(cluster)} ${description}`.trimEnd(),
    filter,
  });
  return comments.reduce(withComment, encoded);
}

/**
 * Names of a cluster's addresses as a local-use block: the length of the cluster's name (16 bits, little-endian), two bytes of
 * zeros, the name (UTF-8, padded to 32 bits), then records as in a Name Resolution Block.
 */
export function clusterNames(cluster: string, records: Iterable<NamedAddress>): Uint8Array {
  const name = Buffer.from(cluster, 'utf8');
  const head = Buffer.alloc(4 + padded(name.length));
  head.writeUInt16LE(name.length, 0);
  name.copy(head, 4);
  return plainBlock(BLOCK.ksnoopNames, Buffer.concat([head, nameRecords(records)]));
}

/** Blocks with these names: those of each named cluster in one of its own, all others in a Name Resolution Block. */
export function nameBlocks(records: Iterable<NamedAddress>): Uint8Array[] {
  const byCluster = new Map<string | undefined, NamedAddress[]>();
  for (const record of records) {
    const names = byCluster.get(record.cluster);
    if (names === undefined) byCluster.set(record.cluster, [record]);
    else names.push(record);
  }
  return [...byCluster].map(([cluster, names]) =>
    cluster === undefined ? nameResolution(names) : clusterNames(cluster, names),
  );
}

/** What a block that `clusterNames` made holds; undefined where it is damaged. */
export function clusterNamesOf(
  block: BlockView,
): { readonly cluster: string; readonly names: readonly AddressNames[] } | undefined {
  const { bytes, view, offset, length, littleEndian } = block;
  if (length < CLUSTER_AT + 4) return undefined;
  const nameLength = view.getUint16(offset + 8, littleEndian);
  const records = CLUSTER_AT + padded(nameLength);
  if (nameLength > NAME_BYTES_MAXIMUM || records > length - 4) return undefined;
  const at = bytes.byteOffset + offset + CLUSTER_AT;
  const cluster = Buffer.from(bytes.buffer, at, nameLength).toString('utf8');
  return { cluster, names: addressNames(block, records) };
}
