import { type Change, changed, changesOf } from './mutants.ts';
import { codeBelow, type Node, nodeAt, syntaxOf } from './syntax.ts';

/**
 * A file in which changes can be turned on while it runs, so that it is compiled once for all of them: the change whose number
 * globalThis.__ksnoopMutant has when the file is loaded. Line numbers stay as they are.
 * @param numberOf the number of a change by its index in changesOf; undefined leaves that change out
 * @param hits also write down in globalThis.__ksnoopHits, at the number of each change, that it was reached
 */
export function withSwitches(
  file: string,
  source: string,
  numberOf: (index: number) => number | undefined,
  hits: boolean,
): string {
  const chosen = new Map<string, { change: Change; id: number }>();
  for (const [index, change] of changesOf(file, source).entries()) {
    const id = numberOf(index);
    if (id !== undefined) chosen.set(keyOf(change.node), { change, id });
  }
  if (chosen.size === 0) return source;

  const written = (node: Node): string => {
    let text = '';
    let at = node.start;
    for (const below of codeBelow(node)) {
      // The name and the value of `{ a }` are the same place.
      if (below.start < at) continue;
      const inner = written(below);
      const key =
        isNumberedMember(node, below) && inner !== source.slice(below.start, below.end) ? `[${inner}]` : inner;
      text += source.slice(at, below.start) + key;
      at = below.end;
    }
    text += source.slice(at, node.end);
    const found = chosen.get(keyOf(node));
    return found === undefined ? text : choice(found.change, found.id, text);
  };

  const choice = (change: Change, id: number, text: string): string => {
    const { node, at, before, after } = change;
    const hit = hits ? `__H[${id}] = 1` : '';
    if (change.kind === 'statement') return `{ ${hit}; if (__M !== ${id}) { ${text} } }`;
    const original = source.slice(node.start, node.end);
    const other = changed(original, { at: at - node.start, before, after });
    return hits ? `(${hit}, (${text}))` : `(__M === ${id} ? (${other}) : (${text}))`;
  };

  const head = hits
    ? 'const __H: any = (globalThis as any).__ksnoopHits ?? []; const __M: any = undefined; '
    : 'const __M: any = (globalThis as any).__ksnoopMutant; ';
  return head + written({ ...syntaxOf(source), start: 0, end: source.length });
}

const keyOf = ({ type, start, end }: Node) => `${type} ${start} ${end}`;

/** `{ 5: … }`: an expression there needs brackets. */
function isNumberedMember(node: Node, below: Node): boolean {
  return nodeAt(node, 'key') === below && node.computed !== true && below.type === 'Literal';
}
