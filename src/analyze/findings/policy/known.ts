/** Whether something holds; undefined where that is not known. */
export type Known = boolean | undefined;

/** Whether all hold: one that does not decides, and else one that is not known leaves it open. */
export function every<Item>(items: readonly Item[], holds: (item: Item) => Known): Known {
  let known: Known = true;
  for (const item of items) {
    const one = holds(item);
    if (one === false) return false;
    if (one === undefined) known = undefined;
  }
  return known;
}

/** Whether any holds: one that does decides, and else one that is not known leaves it open. */
export function some<Item>(items: readonly Item[], holds: (item: Item) => Known): Known {
  let known: Known = false;
  for (const item of items) {
    const one = holds(item);
    if (one === true) return true;
    if (one === undefined) known = undefined;
  }
  return known;
}
