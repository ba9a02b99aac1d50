import type { MessageFrame } from '../oracle/tshark-traffic.ts';

/** The innermost endpoints of a frame, as `pairOf` names them. */
export function endpointsOf(frame: MessageFrame): string {
  const protocols = frame.last('frame.protocols').split(':');
  // The innermost address is IPv4's or IPv6's: the layers' order tells which.
  const isIpv6 = protocols.lastIndexOf('ipv6') > protocols.lastIndexOf('ip');
  const end = (which: 'src' | 'dst') => {
    const port = frame.last(`tcp.${which}port`) || frame.last(`udp.${which}port`);
    return `${frame.last(isIpv6 ? `ipv6.${which}` : `ip.${which}`)}:${port}`;
  };
  return pairOf(end('src'), end('dst'));
}

/** By endpoints, the first frame between them. */
export function firstFrames(frames: readonly MessageFrame[]): ReadonlyMap<string, number> {
  const first = new Map<string, number>();
  for (const frame of frames) {
    const endpoints = endpointsOf(frame);
    if (!first.has(endpoints)) first.set(endpoints, frame.number);
  }
  return first;
}

/** Two endpoints in an order that does not depend on who speaks. */
export function pairOf(one: string, other: string): string {
  return one < other ? `${one} ${other}` : `${other} ${one}`;
}
