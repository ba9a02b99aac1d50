import { expect, test } from 'vitest';
import { CAPTURES, captureFiles } from '../support/captures.ts';
import { compareDatagrams, type DatagramDifference } from './datagram-comparison.ts';

/** Where tshark 4.0 and ksnoop put fragments together otherwise, looked at one by one, and why that is to stay. */
const KNOWN: readonly { readonly file: string; readonly frames: readonly number[]; readonly reason: string }[] = [
  {
    file: 'zeek/ipv4/fragmented-1.pcap',
    frames: [3],
    reason:
      'a fragment that reaches past the end which the last one told is refused; tshark takes its bytes up to there',
  },
  {
    file: 'zeek/ipv4/fragmented-4.pcap',
    frames: [5],
    reason:
      'fragments that overlap with other bytes: tshark takes the one that begins first, ksnoop the one that came first',
  },
  {
    file: 'zeek/ipv6-reassembly-state-leak.pcap',
    frames: [46, 92],
    reason: 'the last fragment comes 45 s after the first: given up after 30 s, as kernels do',
  },
];

/** Without answers in the cache, on a busy machine. */
const TIMEOUT_MS = 300_000;

const files = captureFiles();

test.skipIf(files.length === 0)(
  'fragments of every capture are put together as tshark does: by frame, bytes and layers',
  async () => {
    let withFragments = 0;
    let agreed = 0;
    const differences: DatagramDifference[] = [];
    for (const file of files) {
      const compared = await compareDatagrams(CAPTURES, file);
      if (compared === undefined) continue;
      withFragments += 1;
      agreed += compared.agreed;
      differences.push(...compared.differences);
    }
    console.log(`fragments against tshark: ${withFragments} files with fragments, ${agreed} agreements`);
    console.log(`known differences seen: ${differences.length}, listed: ${KNOWN.length} entries`);
    const isKnown = ({ file, frame }: DatagramDifference) =>
      KNOWN.some((known) => known.file === file && known.frames.includes(frame));
    expect(differences.filter((difference) => !isKnown(difference))).toEqual([]);
    expect(new Set(differences.map(({ file }) => file)).size, 'listed as known, yet the same').toBe(KNOWN.length);
  },
  TIMEOUT_MS,
);
