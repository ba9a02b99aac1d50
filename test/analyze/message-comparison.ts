import { type MessageFrame, messageFrames } from '../oracle/tshark-messages.ts';
import { analyseFile } from '../support/analysis.ts';
import { SUBJECTS } from './message-subjects.ts';

/** Something between two endpoints of a file that only one of the two has seen. */
export interface MessageDifference {
  readonly file: string;
  /** The first frame in which tshark shows something of this subject between them; 0 where it never does. */
  readonly frame: number;
  readonly subject: string;
  readonly endpoints: string;
  readonly onlyTshark: readonly string[];
  readonly onlyKsnoop: readonly string[];
}

export interface MessageComparison {
  readonly file: string;
  /** By subject: how many messages both have seen. */
  readonly agreements: ReadonlyMap<string, number>;
  readonly differences: readonly MessageDifference[];
}

/** Hold what a file's messages say against tshark, endpoints by endpoints; undefined when tshark does not open it. */
export async function compareMessages(folder: string, path: string): Promise<MessageComparison | undefined> {
  const file = path.slice(folder.length + 1);
  const frames = await messageFrames(path);
  if (frames === undefined) return undefined;
  const { events } = await analyseFile(path);
  const agreements = new Map<string, number>();
  const differences: MessageDifference[] = [];
  for (const subject of SUBJECTS) {
    const theirs = new Said();
    const ours = new Said();
    for (const frame of frames)
      theirs.add(endpointsOf(frame), subject.tshark(frame), Number(frame.last('frame.number')));
    for (const { event, client, server } of events) ours.add(pair(client, server), subject.ksnoop(event), 0);
    for (const endpoints of new Set([...theirs.endpoints, ...ours.endpoints])) {
      const { agreed, onlyTheirs, onlyOurs } = difference(theirs.of(endpoints), ours.of(endpoints), subject.counted);
      agreements.set(subject.name, (agreements.get(subject.name) ?? 0) + agreed);
      if (onlyTheirs.length + onlyOurs.length === 0) continue;
      const frame = theirs.frame(endpoints);
      differences.push({
        ...{ file, frame, subject: subject.name, endpoints },
        ...{ onlyTshark: onlyTheirs, onlyKsnoop: onlyOurs },
      });
    }
  }
  return { file, agreements, differences };
}

/** What was said, by endpoints. */
class Said {
  readonly #words = new Map<string, { readonly frame: number; readonly words: string[] }>();

  get endpoints(): Iterable<string> {
    return this.#words.keys();
  }

  add(endpoints: string, words: readonly string[], frame: number): void {
    if (words.length === 0) return;
    const said = this.#words.get(endpoints) ?? { frame, words: [] };
    this.#words.set(endpoints, said);
    said.words.push(...words);
  }

  of(endpoints: string): readonly string[] {
    return this.#words.get(endpoints)?.words ?? [];
  }

  frame(endpoints: string): number {
    return this.#words.get(endpoints)?.frame ?? 0;
  }
}

function difference(theirs: readonly string[], ours: readonly string[], counted: boolean) {
  const left = counted ? [...ours] : [...new Set(ours)];
  const onlyTheirs: string[] = [];
  let agreed = 0;
  for (const word of counted ? theirs : new Set(theirs)) {
    const at = left.indexOf(word);
    if (at < 0) onlyTheirs.push(word);
    else {
      agreed += 1;
      left.splice(at, 1);
    }
  }
  return { agreed, onlyTheirs, onlyOurs: left };
}

function endpointsOf(frame: MessageFrame): string {
  const end = (which: 'src' | 'dst') => {
    const address = frame.last(`ip.${which}`);
    const port = frame.last(`tcp.${which}port`) || frame.last(`udp.${which}port`);
    // The innermost address is IPv4's or IPv6's: the layers' order tells which.
    const protocols = frame.last('frame.protocols').split(':');
    const isIpv6 = protocols.lastIndexOf('ipv6') > protocols.lastIndexOf('ip');
    return `${isIpv6 ? frame.last(`ipv6.${which}`) : address}:${port}`;
  };
  return pair(end('src'), end('dst'));
}

function pair(one: string, other: string): string {
  return one < other ? `${one} ${other}` : `${other} ${one}`;
}
