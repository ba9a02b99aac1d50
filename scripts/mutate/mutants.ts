import { codeOf } from './code-mask.ts';

/** One token that is changed. */
export interface Mutant {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly kind: 'comparison' | 'boolean' | 'arithmetic' | 'constant' | 'statement';
  /** Where in the file the change begins, and what stands there before and after. */
  readonly at: number;
  readonly before: string;
  readonly after: string;
}

type Rule = readonly [kind: Mutant['kind'], pattern: RegExp, after: (token: string) => string];

const OTHER: Readonly<Record<string, string>> = {
  '===': '!==',
  '!==': '===',
  '<': '<=',
  '<=': '<',
  '>': '>=',
  '>=': '>',
  '&&': '||',
  '||': '&&',
  true: 'false',
  false: 'true',
  '+': '-',
  '-': '+',
  '*': '/',
  '/': '*',
  '+=': '-=',
  '-=': '+=',
};
const other = (token: string) => OTHER[token] ?? token;

/** The formatter puts blanks around operators between two values, and none around those of types. */
const RULES: readonly Rule[] = [
  ['comparison', /(?<= )(?:[!=]==|[<>]=?)(?= )/g, other],
  ['boolean', /(?<= )(?:&&|\|\|)(?= )/g, other],
  ['boolean', /(?<![\w$.'"-])(?:true|false)(?![\w$])(?!;? *[|}>])/g, other],
  ['boolean', /(?<![\w$)\]!])!(?=[\w$(])/g, () => ''],
  ['arithmetic', /(?<= )(?:[-+*/]|[-+]=)(?= )/g, other],
  ['constant', /(?<![\w$.])\d[\d_]*(?![\w$.])/g, (token) => String(Number(token.replaceAll('_', '')) + 1)],
];

/** A statement of one line that does something: a call, or a value given to a variable that is there. */
const STATEMENT =
  /^ +(?!#\w+ =|return\b|throw\b|const\b|let\b|import\b|export\b|await new\b)(?:void |await )?[\w$.#?!]+(?:\[[^\]]*\])?(?:\(.*\)| [-+|&^]?= [^;]*);$/gm;

/** Lines that say what something is, not what it does. */
const DECLARES = /^(?:import\b|export (?:type|interface)\b|type\b|interface\b| +readonly [\w?]+: [^=]*;$|\} from )/;

/** Every change of one token that this file allows. @param file its path, for the answer */
export function mutantsOf(file: string, source: string): Mutant[] {
  const code = codeOf(source);
  const lines = lineTable(source);
  const declared = declarations(code);
  const mutants: Mutant[] = [];
  const add = (kind: Mutant['kind'], at: number, before: string, after: string) => {
    const line = lines.findLastIndex((start) => start <= at) + 1;
    if (!declared.has(line)) mutants.push({ file, line, kind, at, before, after });
  };
  for (const [kind, pattern, after] of RULES) {
    for (const found of code.matchAll(pattern)) add(kind, found.index, found[0], after(found[0]));
  }
  for (const found of code.matchAll(STATEMENT)) {
    add('statement', found.index, source.slice(found.index, found.index + found[0].length), '');
  }
  return mutants.sort((a, b) => a.at - b.at || a.kind.localeCompare(b.kind));
}

/** The file with that change. */
export function changed(source: string, { at, before, after }: Mutant): string {
  return source.slice(0, at) + after + source.slice(at + before.length);
}

function lineTable(source: string): number[] {
  const starts = [0];
  for (let at = source.indexOf('\n'); at >= 0; at = source.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

/** Numbers of the lines of types, from the one that begins to the one that ends it. */
function declarations(code: string): Set<number> {
  const declared = new Set<number>();
  let within = false;
  for (const [index, line] of code.split('\n').entries()) {
    if (DECLARES.test(line)) {
      declared.add(index + 1);
      within = /^(?:export )?(?:type|interface)\b/.test(line) && !/;\s*$|\}\s*$/.test(line);
    } else if (within) {
      declared.add(index + 1);
      if (/^[^ ].*$|;\s*$/.test(line) && /^\}|^ {2}[^ ].*;\s*$/.test(line))
        within = !/^\}/.test(line) && !endsType(line);
    }
  }
  return declared;
}

/** A union over several lines ends with a semicolon of its last one. */
function endsType(line: string): boolean {
  return /^ {2}\|.*;\s*$/.test(line);
}
