/** Writes the tables of docs/permissions.md anew: `node scripts/permission-docs.ts`. A test says when they are out of date. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readKustomization } from '../src/capture/install/manifests.ts';
import { installPermissions } from '../src/capture/install/permissions.ts';
import {
  CAPTURE_PERMISSIONS,
  type Permission,
  PLACE_WORDS,
  permissionsOfKinds,
  ruleLines,
} from '../src/capture/plan/permissions.ts';

const BASE = join(import.meta.dirname, '../daemonset/base');

export const PERMISSION_DOCS = join(import.meta.dirname, '../docs/permissions.md');

const BEGIN = '<!-- tables: written by scripts/permission-docs.ts -->\n';
const END = '<!-- end of tables -->\n';

/** The page with its tables as the sources have them. */
export function withPermissions(page: string): string {
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined)
    throw new Error('docs/permissions.md has lost the marks of its tables');
  const kinds = permissionsOfKinds().flatMap(({ kind, permissions }) =>
    permissions.map((permission) => [kind.name, ...cells(permission)]),
  );
  const sections = [
    '## Rules\n',
    `Required:\n\n${fenced(ruleLines(true))}\n`,
    `Optional:\n\n${fenced(ruleLines(false))}\n`,
    '## Every capture\n',
    table(['Permission', 'Where', 'Needed', 'What for'], CAPTURE_PERMISSIONS.map(cells)),
    '## Targets\n',
    'In addition, by the kind of target. With a pattern, `-l` or `--field-selector`, `list` takes the place of `get`.\n',
    table(['Target', 'Permission', 'Where', 'Needed', 'What for'], [...kinds, ...CUSTOM]),
    '## Installation\n',
    "`ksnoop install`, `uninstall`, `status` and `cleanup` use these. Captures do not need them. They also read the cluster's list\nof kinds, which Kubernetes allows every user (ClusterRole `system:discovery`).\n",
    table(
      ['Permission', 'Where', 'Used by', 'Needed'],
      installPermissions(readKustomization(BASE)).map(({ verbs, group, resource, place, usedBy, missing }) => [
        named(verbs, group, resource),
        PLACE_WORDS[place],
        usedBy.map((command) => `\`${command}\``).join(', '),
        missing === undefined ? 'yes' : `no: without it, ${missing}`,
      ]),
    ),
  ];
  return `${before}${BEGIN}\n${sections.join('\n')}\n${END}${after}`;
}

/** Kinds that only the cluster knows. */
const CUSTOM: readonly (readonly string[])[] = [
  ['custom resource', '`get` on it', PLACE_WORDS.targets, 'yes', 'to find it'],
  ['', '`get` on its `/scale`', PLACE_WORDS.targets, 'no', 'without it, a resource that has a scale has no pods'],
  [
    '',
    '`get` on the owners between it and its pods',
    PLACE_WORDS.targets,
    'no',
    'without it, its pods are not recognised',
  ],
];

function cells({ verbs, group, resource, place, required, purpose }: Permission): string[] {
  return [named(verbs, group, resource), PLACE_WORDS[place], required ? 'yes' : 'no', purpose];
}

function named(verbs: readonly string[], group: string, resource: string): string {
  return `\`${verbs.join(', ')}\` ${resource}${group === '' ? '' : `.${group}`}`;
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (parts: readonly string[]) => `| ${parts.join(' | ')} |\n`;
  return [line(titles), line(titles.map(() => '---')), ...rows.map(line)].join('');
}

function fenced(lines: readonly string[]): string {
  return `\`\`\`yaml\n${lines.join('\n')}\n\`\`\``;
}

if (import.meta.main) writeFileSync(PERMISSION_DOCS, withPermissions(readFileSync(PERMISSION_DOCS, 'utf8')));
