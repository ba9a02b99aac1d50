import { expect, test } from 'vitest';
import { MASK } from '../../../src/analyze/record/mask.ts';
import { maskNamedValues } from '../../../src/analyze/record/named-values.ts';
import { Random } from '../../support/random.ts';

/** An object as its members, in their order: names may come twice. */
type Tree =
  | string
  | number
  | boolean
  | null
  | readonly Tree[]
  | { readonly members: readonly (readonly [string, Tree])[] };

const NAMING = [
  'name',
  'Key',
  'id',
  'field',
  'path',
  'header',
  'variable',
  'property',
  'setting',
  'parameter',
  'parameterKey',
];
const HOLDING = ['value', 'val', 'Value', 'parameterValue', 'stringValue'];
const OTHER = ['names', 'values', 'kind', 'x', ''];
const SECRET = ['DB_PASSWORD', 'api_token', 'client_secret'];
const ORDINARY = ['MODE', 'REGION', 'replicas', 'say "hi" {[', 'C:\\', ''];

const isObject = (tree: Tree): tree is { readonly members: readonly (readonly [string, Tree])[] } =>
  typeof tree === 'object' && tree !== null && 'members' in tree;
const listed = (names: readonly string[], name: string) =>
  names.some((one) => one.toLowerCase() === name.toLowerCase());

/** JSON; the first value of an object that has a secret's name is masked, of whatever kind it is but those that hold nothing. */
function json(tree: Tree, masks: boolean, blank: string): string {
  if (Array.isArray(tree)) return `[${tree.map((one: Tree) => json(one, masks, blank)).join(`,${blank}`)}]`;
  if (!isObject(tree)) return JSON.stringify(tree);
  const isSecret = tree.members.some(([name, value]) => listed(NAMING, name) && listed(SECRET, String(value)));
  const holding = tree.members.findIndex(([name]) => listed(HOLDING, name));
  const written = tree.members.map(([name, value], index) => {
    const hidden = masks && isSecret && index === holding && typeof value !== 'boolean' && value !== null;
    return `${JSON.stringify(name)}:${blank}${hidden ? MASK : json(value, masks, blank)}`;
  });
  return `{${written.join(`,${blank}`)}}`;
}

function treeOf(random: Random, depth: number): Tree {
  const pick = <T>(list: readonly T[]) => list[random.below(list.length)] as T;
  const kind = random.below(depth === 0 ? 4 : 7);
  if (kind === 0) return pick([0, -1.5, 1e21, 42]);
  if (kind === 1) return pick([true, false, null]);
  if (kind <= 3) return pick([...ORDINARY, 'hush', 'a,b}', '"', '\\"', '\n']);
  if (kind === 4) return Array.from({ length: random.below(4) }, () => treeOf(random, depth - 1));
  const members = Array.from({ length: random.below(5) }, (): [string, Tree] => {
    const member = random.below(4);
    if (member === 0) return [pick(NAMING), pick(random.below(2) === 0 ? SECRET : ORDINARY)];
    if (member === 1) return [pick(HOLDING), treeOf(random, depth - 1)];
    return [pick(OTHER), treeOf(random, depth - 1)];
  });
  return { members };
}

test.each(['', ' ', '\n  '])(
  'in JSON of any form with %j between its parts the value of a secret is masked, and nothing else',
  (blank) => {
    let masked = 0;
    for (let seed = 0; seed < 3_000; seed += 1) {
      const tree = treeOf(new Random(seed), 4);
      const text = json(tree, false, blank);
      const expected = json(tree, true, blank);
      expect(maskNamedValues(text), text).toBe(expected);
      if (expected !== text) masked += 1;
      // That JSON as a string of JSON.
      const once = JSON.stringify({ body: text });
      const maskedOnce = JSON.stringify({ body: expected });
      if (!expected.includes('\\')) expect(maskNamedValues(once), once).toBe(maskedOnce);
    }
    expect(masked).toBeGreaterThan(100);
  },
);

test('a text that was cut is masked up to its end', () => {
  const text = '[{"name":"MODE","value":"open"},{"name":"DB_PASSWORD","value":{"a":["hush","hush"],"b":"hush"}}]';
  const secretAt = text.indexOf('{"a"');
  for (let end = 0; end <= text.length; end += 1) {
    const masked = maskNamedValues(text.slice(0, end));
    expect(masked.replace(/^.*"DB_PASSWORD","value":/, '')).not.toContain('hush');
    if (end <= secretAt) expect(masked).toBe(text.slice(0, end));
  }
});

test('elements of XML', () => {
  const xml = (name: string, value: string, tags = ['name', 'value']) =>
    `<${tags[0]}>${name}</${tags[0]}> <${tags[1]}>${value}</${tags[1]}>`;
  for (const tags of [
    ['name', 'value'],
    ['key', 'string'],
    ['Key', 'Value'],
  ]) {
    expect(maskNamedValues(xml('DbPassword', 'hush', tags))).toBe(
      tags.includes('string') ? xml('DbPassword', 'hush', tags) : xml('DbPassword', MASK, tags),
    );
    expect(maskNamedValues(`value ${xml('DbPassword', 'hush', tags)}`)).toBe(`value ${xml('DbPassword', MASK, tags)}`);
    expect(maskNamedValues(`value ${xml('Mode', 'open', tags)}`)).toBe(`value ${xml('Mode', 'open', tags)}`);
  }
  expect(maskNamedValues(xml('DbPassword', ''))).toBe(xml('DbPassword', ''));
});
