import { normalLinkType } from './link-type.ts';
import { OPTION } from './pcapng.ts';
import { type BlockView, forEachOption, optionText } from './pcapng-read.ts';

/** One interface of a capture file: of pcapng an Interface Description Block, of pcap the file's header. */
export interface CaptureInterface {
  /** LINKTYPE_ value, normalised. */
  readonly linkType: number;
  readonly snaplen: number;
  /** `namespace/pod/any` in ksnoop's files; empty where the file names none. */
  readonly name: string;
  readonly description: string;
  /** What was filtered with, as text; undefined without. */
  readonly filter: string | undefined;
  readonly comments: readonly string[];
  /** Ticks of its time stamps in a second, and the seconds to be added to them (if_tsresol, if_tsoffset). */
  readonly ticksPerSecond: bigint;
  readonly offsetSeconds: bigint;
}

const OPTION_TSOFFSET = 14;
/** Where the block's options start (draft-ietf-opsawg-pcapng, section 4.2). */
const OPTIONS = 16;

/** Read an Interface Description Block; one too short for its fields gives the defaults. */
export function captureInterface(block: BlockView): CaptureInterface {
  const { view, offset, littleEndian } = block;
  let name = '';
  let description = '';
  let filter: string | undefined;
  let resolution = 6;
  let offsetSeconds = 0n;
  const comments: string[] = [];
  forEachOption(block, offset + OPTIONS, (code, at, length) => {
    if (code === OPTION.ifName) name = optionText(block, at, length);
    else if (code === OPTION.ifDescription) description = optionText(block, at, length);
    else if (code === OPTION.comment) comments.push(optionText(block, at, length));
    else if (code === OPTION.ifFilter && length > 1 && block.bytes[at] === 0) {
      filter = optionText(block, at + 1, length - 1);
    } else if (code === OPTION.ifTsresol && length === 1) resolution = block.bytes[at] ?? 6;
    else if (code === OPTION_TSOFFSET && length === 8) offsetSeconds = view.getBigInt64(at, littleEndian);
  });
  return {
    linkType: normalLinkType(block.length >= 20 ? view.getUint16(offset + 8, littleEndian) : 0),
    snaplen: block.length >= 20 ? view.getUint32(offset + 12, littleEndian) : 0,
    name,
    description,
    filter,
    comments,
    ticksPerSecond: resolution & 0x80 ? 1n << BigInt(resolution & 0x7f) : 10n ** BigInt(resolution),
    offsetSeconds,
  };
}
