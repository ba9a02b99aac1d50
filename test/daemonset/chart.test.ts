import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load, loadAll } from 'js-yaml';
import { expect, test } from 'vitest';
import { writeChart } from '../../daemonset/helm/build.ts';
import { CHANGES, chartFiles } from '../../daemonset/helm/chart.ts';
import { readKustomization } from '../../src/capture/install/manifests.ts';
import { VERSION_LABEL } from '../../src/capture/install/objects.ts';
import { objectAt, stringsAt } from '../../src/wire/guard.ts';
import { VERSION } from '../../src/wire/version.ts';

const daemonset = join(import.meta.dirname, '../../daemonset');
const templates = () => [...chartFiles()].filter(([path]) => path.startsWith('templates/') && path.endsWith('.yaml'));

/**
 * Helm's templates as far as the chart uses them: `if`, `with`, `range` and values.
 * @param values of the chart
 */
function rendered(values: { image: string; pullSecrets: string[]; selinux: boolean }): unknown[] {
  const text = templates().map(([, template]) => template);
  return loadAll(
    text
      .join('\n---\n')
      .replace(
        /\n *\{\{- with \.Values\.pullSecrets \}\}([\s\S]*?)\{\{- range \. \}\}\n([\s\S]*?)\n *\{\{- end \}\}\n *\{\{- end \}\}/,
        (_, head, each) =>
          values.pullSecrets.length === 0
            ? ''
            : `${String(head).trimEnd()}\n${values.pullSecrets.map((name) => String(each).replace('{{ . | quote }}', JSON.stringify(name))).join('\n')}`,
      )
      .replace(/\n *\{\{- if \.Values\.selinux \}\}([\s\S]*?)\n *\{\{- end \}\}/, (_, body) =>
        values.selinux ? String(body) : '',
      )
      .replace('{{ .Chart.AppVersion | quote }}', JSON.stringify(VERSION))
      .replace(/\{\{ required "[^"]*" \.Values\.image \| quote \}\}/, JSON.stringify(values.image)),
  );
}

/** The objects of a kustomization, with the version that `ksnoop install` gives the DaemonSet. */
function withVersion(place: string): unknown[] {
  return readKustomization(join(daemonset, place)).map((object) => {
    if (object.kind !== 'DaemonSet') return object;
    const metadata = objectAt(object, 'metadata');
    const labels = { ...stringsAt(metadata, 'labels'), [VERSION_LABEL]: VERSION };
    return { ...object, metadata: { ...metadata, labels } };
  });
}

test('without values the chart is the base', () => {
  expect(rendered({ image: 'ksnoop-agent', pullSecrets: [], selinux: false })).toEqual(withVersion('base'));
});

test('for SELinux it is the overlay', () => {
  expect(rendered({ image: 'ksnoop-agent', pullSecrets: [], selinux: true })).toEqual(withVersion('overlays/selinux'));
});

test('image and pull secrets are where install puts them', () => {
  const objects = rendered({ image: 'registry.example/a:1', pullSecrets: ['one', 'two'], selinux: false });
  expect(objects).toContainEqual(
    expect.objectContaining({
      kind: 'DaemonSet',
      spec: expect.objectContaining({
        template: expect.objectContaining({
          spec: expect.objectContaining({
            imagePullSecrets: [{ name: 'one' }, { name: 'two' }],
            containers: [expect.objectContaining({ image: 'registry.example/a:1' })],
          }),
        }),
      }),
    }),
  );
});

test('a template has nothing besides the changes that are listed', () => {
  const actions = templates().flatMap(([, text]) => text.match(/\{\{.*?\}\}/g) ?? []);
  expect(actions).toHaveLength(CHANGES.flatMap(({ template }) => template.match(/\{\{.*?\}\}/g) ?? []).length);
});

test('the chart has the version of ksnoop, and is written as an archive', () => {
  expect(load(chartFiles().get('Chart.yaml') ?? '')).toMatchObject({
    apiVersion: 'v2',
    name: 'ksnoop',
    version: VERSION,
  });
  const directory = mkdtempSync(join(tmpdir(), 'ksnoop-chart-test-'));
  try {
    writeChart(join(directory, 'chart.tgz'));
  } finally {
    rmSync(directory, { recursive: true });
  }
});
