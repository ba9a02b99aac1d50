import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { PROBE_BYTES } from '../../../src/analyze/limits.ts';
import { STREAM_PROTOCOLS } from '../../../src/analyze/protocols/index.ts';
import { CAPTURES, captureFiles } from '../../support/captures.ts';
import { watchBytes } from '../watched-streams.ts';

const TIMEOUT_MS = 600_000;

/** What a connection ends as, and what it may begin as: upgrades, tunnels, STARTTLS. */
const BEGINS_AS: Readonly<Record<string, readonly string[]>> = {
  http: ['socks'],
  smtp: ['http'],
  tls: ['http', 'ldap', 'mysql', 'postgresql', 'smtp', 'socks'],
  websocket: ['http'],
};

/** What else is taken for a protocol: requests of connections that stop there, and three segments that look like others by chance. */
const KNOWN = [
  'zeek/tcp/payload-synack.pcap: http',
  'tcpdump/resp_2_inline.pcap: memcached',
  'zeek/http/bro.org.pcap: cql',
  'zeek/rfb/vnc-mac-to-linux.pcap: kafka',
];

const files = captureFiles();

test.skipIf(files.length === 0)(
  'no segment of the captures of others is taken for another protocol than that of its connection',
  async () => {
    const taken: string[] = [];
    let probed = 0;
    for (const path of files) {
      const bytes = await readFile(path);
      const { analysed, streams } = watchBytes(bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes);
      for (const { id, protocol = '' } of analysed.flows) {
        const allowed = [protocol, ...(BEGINS_AS[protocol] ?? [])];
        for (const segment of streams.get(id)?.bytes.flat() ?? []) {
          probed += 1;
          for (const { name, probe } of STREAM_PROTOCOLS) {
            const likeness = probe(segment, 0, Math.min(segment.length, PROBE_BYTES));
            if (likeness === 'no' || likeness === 'more' || allowed.includes(name)) continue;
            taken.push(`${path.slice(CAPTURES.length + 1)}: ${name}`);
          }
        }
      }
    }
    expect(taken.sort()).toEqual(KNOWN.toSorted());
    expect(probed).toBeGreaterThan(150_000);
  },
  TIMEOUT_MS,
);
