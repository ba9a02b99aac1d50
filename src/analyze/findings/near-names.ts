/** Characters of a label at most (RFC 1035, section 2.3.4). */
const LABEL_LENGTH = 63;

/** Letters to insert, delete or replace, at most, between labels that are near. */
const NEAR = 2;

/** Two rows of Levenshtein's table. */
let above = new Uint8Array(LABEL_LENGTH + NEAR + 1);
let row = new Uint8Array(LABEL_LENGTH + NEAR + 1);

/** DNS names among which those are found whose first label differs by little from that of another name. */
export class NearNames {
  readonly #names: readonly string[];
  readonly #labels: readonly string[];

  /** @param names in the order in which they are to be found */
  constructor(names: readonly string[]) {
    this.#names = names;
    this.#labels = names.map(firstLabel);
  }

  /** The names near to another, without that itself. */
  to(name: string): string[] {
    const label = firstLabel(name);
    return this.#names.filter((other, index) => other !== name && isNear(label, this.#labels[index] ?? ''));
  }
}

function firstLabel(name: string): string {
  const dot = name.indexOf('.');
  return dot < 0 ? name : name.slice(0, dot);
}

/** Whether labels differ by two letters at most: only that part of Levenshtein's table is made which can show it. */
export function isNear(one: string, other: string): boolean {
  const length = one.length;
  const otherLength = other.length;
  if (Math.abs(length - otherLength) > NEAR || length > LABEL_LENGTH || otherLength > LABEL_LENGTH + NEAR) return false;
  let start = 0;
  while (start < length && start < otherLength && one.charCodeAt(start) === other.charCodeAt(start)) start += 1;
  let end = length;
  let otherEnd = otherLength;
  while (end > start && otherEnd > start && one.charCodeAt(end - 1) === other.charCodeAt(otherEnd - 1)) {
    end -= 1;
    otherEnd -= 1;
  }
  // What is left can be replaced, and the rest of the longer deleted.
  if (Math.max(end, otherEnd) - start <= NEAR) return true;
  return distanceWithin(one, start, end, other, otherEnd) <= NEAR;
}

/** Levenshtein's distance of two parts that begin at `start`; more than NEAR where it is more. */
function distanceWithin(one: string, start: number, end: number, other: string, otherEnd: number): number {
  const width = otherEnd - start;
  for (let j = 0; j <= width; j += 1) above[j] = j;
  for (let i = 1; i <= end - start; i += 1) {
    const letter = one.charCodeAt(start + i - 1);
    row[0] = i;
    let least = i;
    for (let j = 1; j <= width; j += 1) {
      const replaced = (above[j - 1] as number) + (letter === other.charCodeAt(start + j - 1) ? 0 : 1);
      const value = Math.min(replaced, (above[j] as number) + 1, (row[j - 1] as number) + 1);
      row[j] = value;
      if (value < least) least = value;
    }
    if (least > NEAR) return least;
    const before = above;
    above = row;
    row = before;
  }
  return above[width] as number;
}
