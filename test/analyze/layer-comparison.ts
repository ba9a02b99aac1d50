import { relative } from 'node:path';
import { LAYERS } from '../../src/analyze/layers/index.ts';
import { STOP } from '../../src/analyze/layers/layer.ts';
import { decodePacket, PacketView } from '../../src/analyze/packet/packet.ts';
import { tunnelText } from '../../src/analyze/record/tunnel-text.ts';
import { type CaptureFrame, readCaptureFile } from '../support/capture-file.ts';
import { type LayerFrame, layerFrames } from './layers-oracle.ts';
import { TSHARK_LAYER } from './tshark-layers.ts';

/** Layer by layer, ksnoop against tshark: the layers' order, addresses, ports and the numbers of TCP, UDP and ICMP. */

const FIELDS = [
  'frame.number',
  'frame.cap_len',
  'frame.len',
  'frame.protocols',
  'eth.type',
  'ip.src',
  'ip.dst',
  'ip.frag_offset',
  'ipv6.src',
  'ipv6.dst',
  'tcp.srcport',
  'tcp.dstport',
  'tcp.flags',
  'tcp.seq_raw',
  'tcp.ack_raw',
  'tcp.window_size_value',
  'tcp.len',
  'udp.srcport',
  'udp.dstport',
  'udp.length',
  'sctp.srcport',
  'sctp.dstport',
  'icmp.type',
  'icmp.code',
  'icmpv6.type',
  'icmpv6.code',
  'arp.opcode',
  'vxlan.vni',
  'geneve.vni',
  'gre.key',
  'mpls.label',
  'gtp.teid',
  'pppoe.session_id',
  'erspan.spanid',
  'wg.type',
] as const;

/** Every frame for itself, since reassembly would move a first fragment's layers to its last; and BIG TCP as ksnoop takes it. */
export const PREFERENCES: readonly string[] = ['ip.defragment:FALSE', 'ipv6.defragment:FALSE', 'ipv6.tso_support:TRUE'];

const COMPARED = new Set(Object.values(TSHARK_LAYER));

export interface Difference {
  readonly file: string;
  readonly frame: number;
  readonly field: string;
  readonly ours: string;
  readonly theirs: string;
}

export interface Comparison {
  readonly file: string;
  /** `both`, or who cannot open the file. */
  readonly opened: 'both' | 'tshark only' | 'ksnoop only' | 'neither';
  readonly frames: number;
  readonly linkTypes: readonly number[];
  /** By field (and by layer, `layer tcp`) how often both said the same. */
  readonly agreements: ReadonlyMap<string, number>;
  readonly differences: readonly Difference[];
}

export async function compareFile(root: string, path: string, preferences = PREFERENCES): Promise<Comparison> {
  const file = relative(root, path);
  const frames = await readCaptureFile(path);
  const theirs = await layerFrames(path, FIELDS, preferences);
  const agreements = new Map<string, number>();
  const differences: Difference[] = [];
  const opened = frames && theirs ? 'both' : theirs ? 'tshark only' : frames ? 'ksnoop only' : 'neither';
  const linkTypes = [...new Set(frames?.map(({ linkType }) => linkType))];
  const result = { file, opened, frames: theirs?.length ?? 0, linkTypes, agreements, differences } as const;
  if (frames === undefined || theirs === undefined) return result;
  const packet = new PacketView();
  for (const [index, frame] of frames.entries()) {
    const reference = theirs[index];
    if (reference === undefined) {
      differences.push({ file, frame: frame.number, field: 'frame', ours: 'present', theirs: 'absent' });
      break;
    }
    point(packet, frame);
    decodePacket(packet);
    for (const [field, our, their] of facts(packet, frame, reference)) {
      if (our === their) agreements.set(field, (agreements.get(field) ?? 0) + 1);
      else differences.push({ file, frame: frame.number, field, ours: our, theirs: their });
    }
  }
  if (theirs.length > frames.length) {
    differences.push({ file, frame: frames.length + 1, field: 'frame', ours: 'absent', theirs: 'present' });
  }
  return result;
}

/** Set the view on a frame as read from a file. */
export function point(packet: PacketView, { bytes, origlen, time, interfaceId, linkType }: CaptureFrame): void {
  const high = Number(((time ?? 0n) >> 32n) & 0xffff_ffffn);
  const low = Number((time ?? 0n) & 0xffff_ffffn);
  packet.set(bytes, 0, bytes.length, origlen, high, low, interfaceId, linkType, 0);
}

type Fact = readonly [field: string, ours: string, theirs: string];

function* facts(packet: PacketView, frame: CaptureFrame, theirs: LayerFrame): Generator<Fact> {
  const names: string[] = [];
  for (let depth = 0; depth < packet.layerCount; depth += 1) {
    names.push(LAYERS[packet.layerNumbers[depth] ?? 0]?.name ?? '?');
  }
  /** Of a field that repeats, what tshark says for our innermost layer of that name. */
  const their = (field: (typeof FIELDS)[number], layer?: string) => {
    const index = layer === undefined ? 0 : names.filter((name) => name === layer).length - 1;
    return theirs.get(field)?.[index] ?? '';
  };
  // The capture lengths of other link types are not the file's own: tshark takes pseudo-headers off.
  if (names.length === 0) return;
  yield ['frame.cap_len', String(frame.bytes.length), their('frame.cap_len')];
  const ourLayers = names.map((name) => TSHARK_LAYER[name] ?? name);
  const last = names.at(-1);
  const whole = packet.stopped === STOP.none || packet.stopped === STOP.unsupported;
  let layers = theirLayers(their('frame.protocols'));
  // A header cut short may be named by tshark or not.
  const compared = !whole && layers.length === ourLayers.length - 1 ? ourLayers.slice(0, -1) : ourLayers;
  // What is within a fragment is decoded when it is whole.
  const isIpv6InPlace = last === 'ipv4' && packet.stopped === STOP.malformed;
  // tshark goes on with IPv6 where IPv4 was named.
  if (packet.moreFragments || isIpv6InPlace) layers = layers.slice(0, Math.max(compared.length, 1));
  yield ['layers', compared.join(':'), layers.join(':')];
  for (const name of compared) yield [`layer ${name}`, '', ''];
  const frames = names.filter((name) => name === 'ethernet').length;
  const afterFrame = names.slice(names.lastIndexOf('ethernet') + 1);
  if (frames > 0 && !afterFrame.some((name) => name === 'llc' || name === 'sll') && packet.etherType >= 0) {
    if (!afterFrame.includes('vlan')) yield ['eth.type', hex(packet.etherType, 4), their('eth.type', 'ethernet')];
    else if (frames === 1) yield ['eth.type', hex(tagType(packet), 4), their('eth.type')];
  }
  yield* addressFacts(packet, frame, their, whole || last !== 'ipv4');
  yield* outerFacts(packet, frame, theirs);
  yield* tunnelFacts(packet, names, theirs);
  if ((last === 'tcp' || last === 'udp' || last === 'sctp') && packet.sourcePort >= 0) {
    yield [`${last}.srcport`, String(packet.sourcePort), their(`${last}.srcport`, last)];
    yield [`${last}.dstport`, String(packet.destinationPort), their(`${last}.dstport`, last)];
  }
  if (last === 'tcp' && whole) {
    yield ['tcp.flags', hex(packet.tcpFlags, 4), their('tcp.flags')];
    yield ['tcp.seq_raw', String(packet.tcpSequence >>> 0), their('tcp.seq_raw')];
    yield ['tcp.ack_raw', String(packet.tcpAcknowledgment >>> 0), their('tcp.ack_raw')];
    yield ['tcp.window_size_value', String(packet.tcpWindow), their('tcp.window_size_value')];
    // tshark gives a fragment's segment no length.
    if (!packet.moreFragments) yield ['tcp.len', String(packet.payloadLength), their('tcp.len')];
  }
  if (last === 'udp' && whole) yield ['udp.length', String(packet.udpLength), their('udp.length', 'udp')];
  if ((last === 'icmp' || last === 'icmpv6') && whole) {
    yield [`${last}.type`, String(packet.icmpType), their(`${last}.type`)];
    yield [`${last}.code`, String(packet.icmpCode), their(`${last}.code`)];
  }
  if (last === 'arp' && whole) {
    yield ['arp.opcode', String(packet.arpOperation), their('arp.opcode')];
  }
}

type Their = (field: (typeof FIELDS)[number], layer?: string) => string;

function* addressFacts(packet: PacketView, { bytes }: CaptureFrame, their: Their, isWhole: boolean): Generator<Fact> {
  if (packet.ipVersion === 4 && isWhole) {
    yield ['ip.src', dotted(bytes, packet.sourceAddress), their('ip.src', 'ipv4')];
    yield ['ip.dst', dotted(bytes, packet.destinationAddress), their('ip.dst', 'ipv4')];
    yield ['ip.frag_offset', String(packet.fragmentOffset / 8), their('ip.frag_offset', 'ipv4')];
  }
  if (packet.ipVersion === 6) {
    yield ['ipv6.src', groups(bytes, packet.sourceAddress), expanded(their('ipv6.src', 'ipv6'))];
    yield ['ipv6.dst', groups(bytes, packet.destinationAddress), expanded(their('ipv6.dst', 'ipv6'))];
  }
}

/** The outermost packet's addresses, where there is a tunnel. */
function* outerFacts(packet: PacketView, { bytes }: CaptureFrame, theirs: LayerFrame): Generator<Fact> {
  const { outerSourceAddress: source, outerDestinationAddress: destination } = packet;
  if (packet.outerAddressLength === 4) {
    yield ['outer ip.src', dotted(bytes, source), theirs.get('ip.src')?.[0] ?? ''];
    yield ['outer ip.dst', dotted(bytes, destination), theirs.get('ip.dst')?.[0] ?? ''];
  } else if (packet.outerAddressLength === 16) {
    yield ['outer ipv6.src', groups(bytes, source), expanded(theirs.get('ipv6.src')?.[0] ?? '')];
    yield ['outer ipv6.dst', groups(bytes, destination), expanded(theirs.get('ipv6.dst')?.[0] ?? '')];
  }
}

/** tshark's field for the numbers in our words. */
const TUNNEL_FIELDS: Readonly<Record<string, (typeof FIELDS)[number]>> = {
  vxlan: 'vxlan.vni',
  geneve: 'geneve.vni',
  gre: 'gre.key',
  mpls: 'mpls.label',
  'gtp-u': 'gtp.teid',
  pppoe: 'pppoe.session_id',
  erspan: 'erspan.spanid',
};

/** What the words for tunnels say: `42` of `VXLAN 42`, `0x2a` of `GRE key 0x2a`. */
function* tunnelFacts(packet: PacketView, names: readonly string[], theirs: LayerFrame): Generator<Fact> {
  const isWhole = packet.stopped === STOP.none || packet.stopped === STOP.unsupported;
  const said = new Map<string, number[]>();
  for (const [depth, name] of names.slice(0, isWhole ? names.length : -1).entries()) {
    const text = tunnelText(packet, depth) ?? '';
    const field = TUNNEL_FIELDS[name];
    // Version 1 of GRE has another key; type I of ERSPAN has none.
    if (field === undefined || text.startsWith('PPTP')) continue;
    const numbers = (text.match(/ (0x)?[0-9a-f]+\b/g) ?? []).map(Number);
    said.set(field, [...(said.get(field) ?? []), ...numbers]);
  }
  for (const [field, numbers] of said) {
    const their = (theirs.get(field) ?? []).map(Number).slice(0, numbers.length);
    yield [field, numbers.join(' '), their.join(' ')];
  }
}

/** tshark's other words for a layer. */
const SAME_LAYER: Readonly<Record<string, string>> = { ieee8021ad: 'vlan', vxlan_gpe: 'vxlan' };

/** tshark's layers down to the first that ksnoop does not decode, or to what an ICMP error quotes. */
export function theirLayers(protocols: string): string[] {
  const layers: string[] = [];
  for (const word of protocols.split(':')) {
    if (word === 'ethertype') continue;
    const name = SAME_LAYER[word] ?? word;
    if (!COMPARED.has(name)) break;
    layers.push(name);
    if (name.startsWith('icmp')) break;
  }
  return layers;
}

/** What eth.type is of a tagged frame: the first tag's own number. */
function tagType(packet: PacketView): number {
  return Buffer.from(packet.bytes).readUInt16BE(packet.offset + 12);
}

function hex(value: number, digits: number): string {
  return `0x${value.toString(16).padStart(digits, '0')}`;
}

function dotted(bytes: Buffer, at: number): string {
  return [...bytes.subarray(at, at + 4)].join('.');
}

function groups(bytes: Buffer, at: number): string {
  return Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(at + index * 2).toString(16)).join(':');
}

/** An IPv6 address in any notation as eight groups. */
function expanded(address: string): string {
  if (address === '') return '';
  const plain = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) => {
    return `${(a * 256 + Number(b)).toString(16)}:${(c * 256 + Number(d)).toString(16)}`;
  });
  const [head = '', tail] = plain.split('::');
  const parts = (text: string) => (text === '' ? [] : text.split(':'));
  if (tail === undefined) return parts(head).join(':');
  const zeros = 8 - parts(head).length - parts(tail).length;
  return [...parts(head), ...new Array<string>(zeros).fill('0'), ...parts(tail)].join(':');
}
