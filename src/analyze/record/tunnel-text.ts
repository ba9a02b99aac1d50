import { i32, u8, u16 } from '../bytes.ts';
import { erspan } from '../layers/erspan.ts';
import { ETHER_TYPE } from '../layers/ether-type.ts';
import { geneve } from '../layers/geneve.ts';
import { GRE, gre } from '../layers/gre.ts';
import { gtpU } from '../layers/gtp-u.ts';
import { LAYERS } from '../layers/index.ts';
import { ipv4 } from '../layers/ipv4.ts';
import { ipv6 } from '../layers/ipv6.ts';
import type { Layer } from '../layers/layer.ts';
import { mpls } from '../layers/mpls.ts';
import { ppp } from '../layers/ppp.ts';
import { pppoe } from '../layers/pppoe.ts';
import { pseudowire } from '../layers/pseudowire.ts';
import { teredo } from '../layers/teredo.ts';
import { vlan } from '../layers/vlan.ts';
import { vxlan } from '../layers/vxlan.ts';
import { wireguard } from '../layers/wireguard.ts';
import type { PacketView } from '../packet/packet.ts';

/** The layer at a depth of a decoded packet. */
export function layerAt(packet: PacketView, depth: number): Layer | undefined {
  return depth < packet.layerCount ? LAYERS[packet.layerNumbers[depth] ?? LAYERS.length] : undefined;
}

/**
 * The words of a layer around another: `VXLAN 42`, `MPLS 16 17`, `GRE key 0x2a`, `IPIP`, `vlan 100`; undefined
 * of a layer that is not one to name. All of its header must have been decoded.
 */
export function tunnelText(packet: PacketView, depth: number): string | undefined {
  const { bytes } = packet;
  const at = packet.layerOffsets[depth] as number;
  const layer = layerAt(packet, depth);
  switch (layer) {
    case vlan:
      return `vlan ${u16(bytes, at) & 0xfff}`;
    case vxlan:
    case geneve:
      return `${layer.title} ${i32(bytes, at + 4) >>> 8}`;
    case gre:
      return greText(packet, at);
    case erspan:
      return erspanText(packet, depth);
    case mpls:
      return `MPLS ${labels(packet, at, packet.layerOffsets[depth + 1] ?? packet.cursor).join(' ')}`;
    case gtpU:
      return `GTP-U ${hexText(i32(bytes, at + 4))}`;
    case pppoe:
      return `PPPoE ${u16(bytes, at + 2)}`;
    case pseudowire:
      return 'pseudowire';
    case teredo:
      return teredo.title;
    case ipv4:
    case ipv6:
      return ipInIpText(packet, depth);
    default:
      return undefined;
  }
}

/** `IPIP` and the like of an IP header that lies directly in IP. */
function ipInIpText(packet: PacketView, depth: number): string | undefined {
  let around = depth - 1;
  while (isExtension(layerAt(packet, around))) around -= 1;
  if (around < 0 || !isIp(packet, around)) return undefined;
  const inner = layerAt(packet, depth) === ipv4 ? 4 : 6;
  const outer = layerAt(packet, around) === ipv4 ? 4 : 6;
  return inner === 4 && outer === 4 ? 'IPIP' : `${inner}in${outer}`;
}

/** An extension header, or what else only IP names and lies between headers of IP. */
function isExtension(layer: Layer | undefined): boolean {
  return layer?.ipProtocols !== undefined && layer.etherTypes === undefined && layer.udpPorts === undefined;
}

function isIp(packet: PacketView, depth: number): boolean {
  const layer = layerAt(packet, depth);
  return layer === ipv4 || layer === ipv6;
}

function greText({ bytes }: PacketView, at: number): string {
  const flags = u16(bytes, at);
  if ((flags & GRE.version) === 1 && u16(bytes, at + 2) === ETHER_TYPE.ppp) return `PPTP call ${u16(bytes, at + 6)}`;
  if ((flags & GRE.key) === 0) return 'GRE';
  return `GRE key ${hexText(i32(bytes, at + ((flags & (GRE.checksum | GRE.routing)) === 0 ? 4 : 8)))}`;
}

/** With its session, but for type I, which has no header. */
function erspanText(packet: PacketView, depth: number): string {
  const at = packet.layerOffsets[depth] as number;
  const end = depth + 1 < packet.layerCount ? (packet.layerOffsets[depth + 1] as number) : packet.cursor;
  return end === at ? 'ERSPAN' : `ERSPAN ${u16(packet.bytes, at + 2) & 0x3ff}`;
}

function labels({ bytes }: PacketView, start: number, end: number): number[] {
  const found: number[] = [];
  for (let at = start; at + 4 <= end; at += 4) {
    found.push(i32(bytes, at) >>> 12);
    if ((u8(bytes, at + 2) & 1) !== 0) break;
  }
  return found;
}

const WIREGUARD_MESSAGES = ['handshake initiation', 'handshake response', 'cookie reply', 'transport data'] as const;

const GTP_MESSAGES: Readonly<Record<number, string>> = {
  1: 'echo request',
  2: 'echo response',
  26: 'error indication',
  31: 'supported extension headers',
  254: 'end marker',
  255: 'G-PDU',
};

const PPP_PROTOCOLS: Readonly<Record<number, string>> = {
  33: 'IPv4',
  87: 'IPv6',
  49185: 'LCP',
  49187: 'PAP',
  49189: 'LQR',
  49699: 'CHAP',
  49703: 'EAP',
  32801: 'IPCP',
  32855: 'IPv6CP',
  33021: 'CCP',
};

/** What the last layer carries, by its header, when that is not decoded; undefined where the header does not show it. */
export function carriedText(packet: PacketView): string | undefined {
  const { bytes } = packet;
  const depth = packet.layerCount - 1;
  const at = packet.layerOffsets[depth] as number;
  switch (layerAt(packet, depth)) {
    case wireguard:
      return WIREGUARD_MESSAGES[u8(bytes, at) - 1];
    case gtpU:
      return GTP_MESSAGES[u8(bytes, at + 1)] ?? `message ${u8(bytes, at + 1)}`;
    case ppp: {
      // Of one byte or two, behind none or two.
      const isShort = ((packet.cursor - at) & 1) === 1;
      const protocol = isShort ? u8(bytes, packet.cursor - 1) : u16(bytes, packet.cursor - 2);
      return PPP_PROTOCOLS[protocol] ?? `protocol ${hexText(protocol)}`;
    }
    default:
      return undefined;
  }
}

function hexText(value: number): string {
  return `0x${(value >>> 0).toString(16)}`;
}
