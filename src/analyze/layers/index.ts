import { arp } from './arp.ts';
import { authentication } from './authentication.ts';
import { erspan } from './erspan.ts';
import { ethernet } from './ethernet.ts';
import { geneve } from './geneve.ts';
import { gre } from './gre.ts';
import { gtpU } from './gtp-u.ts';
import { icmp } from './icmp.ts';
import { icmpv6 } from './icmpv6.ts';
import { ipv4 } from './ipv4.ts';
import { ipv6 } from './ipv6.ts';
import { ipv6Fragment } from './ipv6-fragment.ts';
import { destinationOptions, hopByHop, routing } from './ipv6-options.ts';
import { type Layer, SPACE, SPACES_END } from './layer.ts';
import { linuxSll } from './linux-sll.ts';
import { linuxSll2 } from './linux-sll2.ts';
import { llc } from './llc.ts';
import { loopback } from './loopback.ts';
import { mpls } from './mpls.ts';
import { nflog } from './nflog.ts';
import { ppp } from './ppp.ts';
import { pppoe } from './pppoe.ts';
import { pseudowire } from './pseudowire.ts';
import { raw } from './raw.ts';
import { sctp } from './sctp.ts';
import { tcp } from './tcp.ts';
import { teredo } from './teredo.ts';
import { udp } from './udp.ts';
import { vlan } from './vlan.ts';
import { vxlan } from './vxlan.ts';
import { wireguard } from './wireguard.ts';

/** Every layer ksnoop decodes: a new one is a file here and a line below. */
export const LAYERS = [
  ethernet,
  vlan,
  llc,
  linuxSll,
  linuxSll2,
  raw,
  loopback,
  arp,
  ipv4,
  ipv6,
  hopByHop,
  routing,
  ipv6Fragment,
  destinationOptions,
  authentication,
  tcp,
  udp,
  sctp,
  icmp,
  icmpv6,
  vxlan,
  geneve,
  gre,
  erspan,
  mpls,
  pseudowire,
  wireguard,
  gtpU,
  teredo,
  pppoe,
  ppp,
  nflog,
] as const satisfies readonly Layer[];

if (new Set(LAYERS.map(({ name }) => name)).size < LAYERS.length) throw new Error('two layers have one name');

/** By selector (SPACE + number): the layer's index in LAYERS, plus 1; 0 where no layer answers to it. */
export const LAYER_NUMBERS: Uint8Array = numbers(LAYERS);

function numbers(layers: readonly Layer[]): Uint8Array {
  const table = new Uint8Array(SPACES_END);
  for (const [index, layer] of layers.entries()) {
    const selectors = [
      ...(layer.linkTypes ?? []).map((number) => SPACE.linkType + number),
      ...(layer.etherTypes ?? []).map((number) => SPACE.etherType + number),
      ...(layer.ipProtocols ?? []).map((number) => SPACE.ipProtocol + number),
      ...(layer.udpPorts ?? []).map((number) => SPACE.udpPort + number),
      ...(layer.selector === undefined ? [] : [layer.selector]),
    ];
    for (const selector of selectors) {
      if (table[selector] !== 0) throw new Error(`the layer ${layer.name} takes a number that another has`);
      table[selector] = index + 1;
    }
  }
  return table;
}
