import { clusterOf } from '../../wire/capture-cluster.ts';
import type { CaptureInterface } from '../../wire/capture-interface.ts';
import { LINK_TYPE } from '../../wire/link-type.ts';
import { i32 } from '../bytes.ts';
import type { PacketView } from '../packet/packet.ts';

/** LINKTYPE_LINUX_SLL2: the interface index is at bytes 4 to 7 of the header. */
const SLL2_HEADER = 20;
const SLL2_INTERFACE = 4;
/**
 * The lower half of a place is the interface index, the upper half the interface of the capture. Indexes of a node on which pods come
 * and go for months are longer: of two of them that differ by a multiple of 65,536 only one is likely to be left.
 */
const INDEX_BITS = 0xffff;

/** What of an interface's description names the machine whose clock stamped its packets. */
const NODE = /(?:^| )node=(\S+)/;
/** And what says that the interface is a pod's. */
const POD = /(?:^| )pod=\S/;

/**
 * Places of capture. A place is an interface of the capture and, where the packets of several are in one (cooked), the
 * interface index in the packet. An interface that is described again under its name, after a rotation, a new session or in
 * the next of several concatenated files, is the same place.
 */
export class Places {
  /** By interface id: the number of its place and of its clock. */
  readonly #places: number[] = [];
  readonly #clocks: number[] = [];
  /** The number of the first interface with a name, of the section; and of all sections. */
  #inSection = new Map<string, number>();
  readonly #byName = new Map<string, number>();
  readonly #clockNames = new Map<string, number>();
  #interfaces = 0;
  /** By interface id. */
  readonly #isPod: boolean[] = [];
  /** By place: whether its capture has missed packets, by its own counts. */
  readonly #missed: boolean[] = [];
  /** The interface asked for last, and its place. */
  #lastInterface = -1;
  #lastPlace = 0;
  /** By place: 1 when it was described in the section at hand. */
  #alive: boolean[] = [];

  /** A pcapng section begins: interfaces of the one before bring no more packets. */
  section(): void {
    this.#inSection = new Map();
    this.#alive = [];
  }

  /**
   * An interface of the capture.
   * @param id counted over all sections, from 0
   * @returns whether it is one more place beside others
   */
  add(id: number, { name, description }: Pick<CaptureInterface, 'name' | 'description'>): boolean {
    // `namespace/pod/any` names one thing in the world; every host has an `eth0`.
    // Without a name it is the one that has its number: the capture counts it as the same in files that continue each other.
    const again =
      name === ''
        ? this.#places[id]
        : name.includes('/') || !this.#inSection.has(name)
          ? this.#byName.get(name)
          : undefined;
    const place = again ?? this.#interfaces;
    if (again === undefined) this.#interfaces += 1;
    if (name !== '') {
      this.#byName.set(name, place);
      this.#inSection.set(name, place);
    }
    this.#alive[place] = true;
    this.#places[id] = place;
    this.#isPod[id] = POD.test(description);
    this.#lastInterface = -1;
    const node = NODE.exec(description)?.[1];
    // A pod's interface without its node may be on any; other names are those of the capturing host's interfaces.
    const cluster = clusterOf(description);
    const clock =
      node === undefined ? (name.includes('/') ? `place ${place}` : 'this host') : `node ${node}/${cluster}`;
    const number = this.#clockNames.get(clock) ?? this.#clockNames.size;
    this.#clockNames.set(clock, number);
    this.#clocks[place] = number;
    return again === undefined && this.#interfaces > 1;
  }

  /** Whether an interface is a pod's, by what the capture says of it. @param id as the capture counts them */
  isPod(id: number): boolean {
    return this.#isPod[id] === true;
  }

  /** Whether a packet can have been captured more than once: at several interfaces, or several in one. */
  mayCopy(linkType: number): boolean {
    return this.#interfaces > 1 || linkType === LINK_TYPE.linuxSll || linkType === LINK_TYPE.linuxSll2;
  }

  /** The place a packet was captured at: an int32 that is not 0. */
  of(packet: PacketView): number {
    const { interfaceId } = packet;
    if (interfaceId !== this.#lastInterface) {
      this.#lastInterface = interfaceId;
      this.#lastPlace = this.ofInterface(interfaceId);
    }
    const place = this.#lastPlace;
    return packet.linkType === LINK_TYPE.linuxSll2 && packet.caplen >= SLL2_HEADER
      ? place ^ (i32(packet.bytes, packet.offset + SLL2_INTERFACE) & INDEX_BITS)
      : place;
  }

  /** The place of an interface, all that is cooked into it together. @param id as the capture counts them */
  ofInterface(id: number): number {
    return ((this.#places[id] ?? id) + 1) << 16;
  }

  /** The capture of an interface has missed packets, by its own counts. @param id as the capture counts them */
  missed(id: number): void {
    this.#missed[this.#places[id] ?? id] = true;
  }

  /** Whether a place's capture has missed packets, as far as its counts were seen. */
  hasMissed(place: number): boolean {
    return this.#missed[(place >>> 16) - 1] ?? false;
  }

  /** Whether packets of a place may still come. */
  isAlive(place: number): boolean {
    return this.#alive.length === 0 || this.#alive[(place >>> 16) - 1] === true;
  }

  /** The number of the clock that stamps a place's packets: times of one clock can be compared. */
  clockOf(place: number): number {
    return this.#clocks[(place >>> 16) - 1] ?? 0;
  }
}
