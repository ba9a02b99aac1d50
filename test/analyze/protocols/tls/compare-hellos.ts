import { cipherSuiteName } from '../../../../src/analyze/protocols/tls/cipher-suites.ts';
import { versionName } from '../../../../src/analyze/protocols/tls/versions.ts';
import type { Exchange, Fields } from '../../../../src/analyze/record/event.ts';
import type { Analysed } from '../../../support/analysis.ts';
import type { SeenHello } from './tshark-hellos.ts';

export interface Compared {
  /** Hellos of both that say the same. */
  readonly agreed: number;
  /** What tshark has and the analysis has not, or otherwise. */
  readonly different: readonly string[];
  /** Handshakes whose ClientHello only the analysis has read. */
  readonly more: readonly string[];
}

/** Hold the handshakes that the analysis found against the hellos that tshark found. */
export function compareHellos({ events }: Analysed, hellos: readonly SeenHello[]): Compared {
  const handshakes = events.flatMap(({ event, client, server }) =>
    event.kind === 'exchange' && (event.protocol === 'tls' || event.protocol === 'quic')
      ? [{ flow: `${client}>${server}`, exchange: event, tls: event.fields.tls as Fields }]
      : [],
  );
  const different: string[] = [];
  const known = new Set<object>();
  const begun = new Set<string>();
  let agreed = 0;
  for (const hello of hellos) {
    const there = handshakes.filter(({ flow }) => flow === hello.flow);
    // The second ClientHello of a handshake is not told again.
    if (hello.kind === 'client' && !hello.quic && begun.has(hello.flow)) continue;
    begun.add(hello.flow);
    const same = there.filter(({ tls }) => (hello.kind === 'client' ? saysClient(tls, hello) : saysServer(tls, hello)));
    for (const one of same) known.add(one);
    if (same.length > 0) agreed += 1;
    else
      different.push(`${JSON.stringify(hello)} ≠ ${there.map(({ exchange, tls }) => told(exchange, tls)).join(' / ')}`);
  }
  const more = handshakes.filter((one) => one.tls.ja4 !== undefined && !known.has(one));
  return { agreed, different, more: more.map(({ flow, exchange, tls }) => `${flow} ${told(exchange, tls)}`) };
}

function saysClient(tls: Fields, hello: SeenHello): boolean {
  const offered = (tls.alpnOffered as readonly string[] | undefined) ?? [];
  return (tls.sni ?? '') === hello.sni && offered.join() === hello.alpn && tls.ja4 === hello.ja4;
}

function saysServer(tls: Fields, hello: SeenHello): boolean {
  if (tls.version !== versionName(hello.version) || tls.cipher !== cipherSuiteName(hello.cipher)) return false;
  return hello.alpn === '' || tls.alpn === hello.alpn;
}

function told(exchange: Exchange, tls: Fields): string {
  return `${exchange.label} ${JSON.stringify({ ...tls, certificates: undefined, clientCertificates: undefined })}`;
}
