import { KsnoopError } from './errors.ts';

/** One instruction of classic BPF (linux/filter.h, struct sock_filter; McCanne and Jacobson 1993). */
interface Instruction {
  readonly code: number;
  readonly jumpTrue: number;
  readonly jumpFalse: number;
  readonly k: number;
}

const INSTRUCTIONS_MAXIMUM = 65_536;
const MEMORY_WORDS = 16;

/** Instruction classes: the three lowest bits. */
const LD = 0;
const LDX = 1;
const ST = 2;
const STX = 3;
const ALU = 4;
const JMP = 5;
const RET = 6;

/** Read what `tcpdump -ddd` prints: the number of instructions, then one a line. @throws KsnoopError BAD_FILTER */
export function parseProgram(text: string): FilterProgram {
  const [count, ...lines] = text.trim().split('\n');
  const instructions = lines.map((line) => {
    const [code, jumpTrue, jumpFalse, k] = line.split(' ').map(Number);
    return { code: code ?? -1, jumpTrue: jumpTrue ?? 0, jumpFalse: jumpFalse ?? 0, k: k ?? 0 };
  });
  const sound = instructions.every(({ code, k }) => Number.isInteger(code) && code >= 0 && Number.isInteger(k));
  const { length } = instructions;
  if (length === 0 || Number(count) !== length || length > INSTRUCTIONS_MAXIMUM || !sound) {
    throw new KsnoopError('BAD_FILTER', 'The output of tcpdump for the filter is not a BPF program.');
  }
  return new FilterProgram(instructions);
}

/** A packet filter that is run here as the kernel would: any packet, any program, no exception. */
export class FilterProgram {
  readonly #code: Uint16Array;
  readonly #jumpTrue: Uint8Array;
  readonly #jumpFalse: Uint8Array;
  readonly #k: Uint32Array;
  readonly #memory = new Uint32Array(MEMORY_WORDS);

  constructor(instructions: readonly Instruction[]) {
    this.#code = Uint16Array.from(instructions, ({ code }) => code);
    this.#jumpTrue = Uint8Array.from(instructions, ({ jumpTrue }) => jumpTrue);
    this.#jumpFalse = Uint8Array.from(instructions, ({ jumpFalse }) => jumpFalse);
    this.#k = Uint32Array.from(instructions, ({ k }) => k);
  }

  /** Whether the packet of `caplen` bytes at `offset`, `origlen` on the wire, passes. */
  passes(bytes: Uint8Array, offset: number, caplen: number, origlen: number): boolean {
    const code = this.#code;
    const memory = this.#memory;
    let a = 0;
    let x = 0;
    // Programs have no loops: jumps go forwards only.
    for (let at = 0; at < code.length; at += 1) {
      const op = code[at] as number;
      const k = this.#k[at] as number;
      switch (op & 7) {
        case LD:
        case LDX: {
          const value = load(op, k, x, bytes, offset, caplen, origlen, memory);
          if (value < 0) return false;
          if ((op & 7) === LD) a = value;
          else x = value;
          break;
        }
        case ST:
          memory[k & (MEMORY_WORDS - 1)] = a;
          break;
        case STX:
          memory[k & (MEMORY_WORDS - 1)] = x;
          break;
        case ALU: {
          const value = calculate(op, a, op & 8 ? x : k);
          if (value < 0) return false;
          a = value;
          break;
        }
        case JMP:
          if ((op & 0xf0) === 0) at += k;
          else at += (jumps(op, a, op & 8 ? x : k) ? this.#jumpTrue[at] : this.#jumpFalse[at]) as number;
          break;
        case RET:
          return ((op & 0x18) === 0x10 ? a : k) !== 0;
        default:
          if (op & 0x80) a = x;
          else x = a;
      }
    }
    return false;
  }
}

/** The value loaded; -1 when it lies outside what was captured, which ends the program. */
function load(
  op: number,
  k: number,
  x: number,
  bytes: Uint8Array,
  offset: number,
  caplen: number,
  origlen: number,
  memory: Uint32Array,
): number {
  switch (op & 0xe0) {
    case 0x00:
      return k;
    case 0x60:
      return memory[k & (MEMORY_WORDS - 1)] as number;
    case 0x80:
      return origlen;
    case 0xa0:
      // The IP header's length: 4 * (first nibble).
      return k < caplen ? ((bytes[offset + k] as number) & 0xf) << 2 : -1;
    default: {
      const start = (op & 0xe0) === 0x40 ? k + x : k;
      const width = (op & 0x18) === 0 ? 4 : (op & 0x18) === 8 ? 2 : 1;
      if (start + width > caplen) return -1;
      let value = 0;
      for (let index = 0; index < width; index += 1) value = value * 256 + (bytes[offset + start + index] as number);
      return value;
    }
  }
}

/** The result as uint32; -1 for a division by zero, which ends the program. */
function calculate(op: number, a: number, operand: number): number {
  switch (op & 0xf0) {
    case 0x00:
      return (a + operand) >>> 0;
    case 0x10:
      return (a - operand) >>> 0;
    case 0x20:
      return Math.imul(a, operand) >>> 0;
    case 0x30:
      return operand === 0 ? -1 : Math.floor(a / operand);
    case 0x40:
      return (a | operand) >>> 0;
    case 0x50:
      return (a & operand) >>> 0;
    case 0x60:
      return operand > 31 ? 0 : (a << operand) >>> 0;
    case 0x70:
      return operand > 31 ? 0 : a >>> operand;
    case 0x80:
      return -a >>> 0;
    case 0x90:
      return operand === 0 ? -1 : a % operand;
    default:
      return (a ^ operand) >>> 0;
  }
}

function jumps(op: number, a: number, operand: number): boolean {
  switch (op & 0xf0) {
    case 0x10:
      return a === operand;
    case 0x20:
      return a > operand;
    case 0x30:
      return a >= operand;
    default:
      return (a & operand) !== 0;
  }
}
