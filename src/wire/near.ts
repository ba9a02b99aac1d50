const NAMES_SHOWN = 3;

/** Names close enough to what was typed to be worth suggesting, nearest first. */
export function nearest(typed: string, names: Iterable<string>): string[] {
  const allowed = Math.max(2, Math.floor(typed.length / 3));
  return [...new Set(names)]
    .map((name) => ({ name, distance: similar(typed, name) ? 1 : editDistance(typed, name) }))
    .filter(({ distance }) => distance <= allowed)
    .sort((a, b) => a.distance - b.distance || a.name.localeCompare(b.name))
    .slice(0, NAMES_SHOWN)
    .map(({ name }) => name);
}

/** One starts with the other: a pod typed without its random suffix, or with an old one. */
function similar(typed: string, name: string): boolean {
  return typed.length >= 3 && name.length >= 3 && (name.startsWith(typed) || typed.startsWith(name));
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
