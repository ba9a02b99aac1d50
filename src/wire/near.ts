const NAMES_SHOWN = 3;

/** Names close enough to what was typed to be worth suggesting, nearest first. */
export function nearest(typed: string, names: Iterable<string>): string[] {
  // Of a word of three letters, two other letters make any other word.
  const allowed = typed.length <= 3 ? 1 : Math.max(2, Math.floor(typed.length / 3));
  return [...new Set(names)]
    .map((name) => ({ name, distance: similar(typed, name) ? 1 : editDistance(typed, name) }))
    .filter(({ name, distance }) => distance <= allowed || swapped(typed, name))
    .sort((a, b) => a.distance - b.distance || a.name.localeCompare(b.name))
    .slice(0, NAMES_SHOWN)
    .map(({ name }) => name);
}

/** One starts with the other: a pod typed without its random suffix, or with an old one. */
function similar(typed: string, name: string): boolean {
  return typed.length >= 3 && name.length >= 3 && (name.startsWith(typed) || typed.startsWith(name));
}

/** Two neighbouring letters in the wrong order, the commonest typing error. */
function swapped(typed: string, name: string): boolean {
  if (typed.length !== name.length || typed === name) return false;
  let at = 0;
  while (typed[at] === name[at]) at += 1;
  return typed[at] === name[at + 1] && typed[at + 1] === name[at] && typed.slice(at + 2) === name.slice(at + 2);
}

/** Levenshtein's distance: letters to insert, delete or replace. */
export function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}
