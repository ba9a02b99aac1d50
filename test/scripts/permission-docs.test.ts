import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { PERMISSION_DOCS, withPermissions } from '../../scripts/permission-docs.ts';
import { CAPTURE_PERMISSIONS, permissionsOfKinds } from '../../src/capture/plan/permissions.ts';
import { security } from '../../src/cli/help/security.ts';

test('docs/permissions.md has the table of permissions as the sources have it', () => {
  const page = readFileSync(PERMISSION_DOCS, 'utf8');
  expect(withPermissions(page), 'run node scripts/permission-docs.ts').toBe(page);
});

test('the page names every permission', () => {
  const page = readFileSync(PERMISSION_DOCS, 'utf8');
  const all = [...CAPTURE_PERMISSIONS, ...permissionsOfKinds().flatMap(({ permissions }) => permissions)];
  for (const { verbs, resource, purpose } of all) {
    expect(page).toMatch(
      new RegExp(`^\\|.*\`${verbs.join(', ')}\` ${resource.replace('/', '\\/')}\\b.*\\| ${purpose} \\|$`, 'm'),
    );
  }
});

test('ksnoop help security has a rule for every permission that captures use', () => {
  const lines = security.sections.flatMap(({ parts }) => parts).flatMap((part) => ('lines' in part ? part.lines : []));
  for (const { group, resource, verbs } of CAPTURE_PERMISSIONS) {
    const rules = lines.filter((line) => line.includes(`apiGroups: ["${group}"], resources: ["${resource}"]`));
    for (const verb of verbs) expect(rules.join('\n'), `${verb} ${resource}`).toContain(`"${verb}"`);
  }
});
