import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { VERSION_LABEL } from '../../src/capture/install/objects.ts';
import { VERSION } from '../../src/wire/version.ts';

const base = join(import.meta.dirname, '../base');

/** The base's manifests, in the order in which they are applied. */
const MANIFESTS = ['namespace.yaml', 'serviceaccount.yaml', 'networkpolicy.yaml', 'daemonset.yaml'] as const;

/** One change of the manifests' text: a line of the base, and what the chart has in its place. */
export interface Change {
  readonly file: (typeof MANIFESTS)[number];
  readonly line: string;
  /** Helm's template. */
  readonly template: string;
}

/** All that the chart's values change; everything else is the base's text. */
export const CHANGES: readonly Change[] = [
  {
    // As `ksnoop install` does: `ksnoop version` and `ksnoop status` compare it with the client's.
    file: 'daemonset.yaml',
    line: '  namespace: ksnoop\n  labels:\n',
    template: `  namespace: ksnoop\n  labels:\n    ${VERSION_LABEL}: {{ .Chart.AppVersion | quote }}\n`,
  },
  {
    file: 'daemonset.yaml',
    line: '          image: ksnoop-agent\n',
    template: '          image: {{ required "Name the agents\' image: --set image=REF" .Values.image | quote }}\n',
  },
  {
    file: 'daemonset.yaml',
    line: '      serviceAccountName: ksnoop-agent\n',
    template: `      serviceAccountName: ksnoop-agent
      {{- with .Values.pullSecrets }}
      imagePullSecrets:
        {{- range . }}
        - name: {{ . | quote }}
        {{- end }}
      {{- end }}
`,
  },
  {
    file: 'daemonset.yaml',
    line: '      securityContext:\n        runAsUser: 0\n',
    template: `      securityContext:
        {{- if .Values.selinux }}
        seLinuxOptions:
          type: spc_t
        {{- end }}
        runAsUser: 0
`,
  },
];

/** Every file of the chart, by its path inside. */
export function chartFiles(): ReadonlyMap<string, string> {
  const files = new Map([
    ['Chart.yaml', chartYaml()],
    ['values.yaml', VALUES],
    ['values.schema.json', `${JSON.stringify(SCHEMA, undefined, 2)}\n`],
    ['templates/NOTES.txt', NOTES],
  ]);
  for (const file of MANIFESTS) files.set(`templates/${file}`, templateOf(file));
  return files;
}

/** @throws Error when a line that the chart changes is not once in the base */
function templateOf(file: (typeof MANIFESTS)[number]): string {
  let text = readFileSync(join(base, file), 'utf8');
  for (const { line, template } of CHANGES.filter((change) => change.file === file)) {
    const parts = text.split(line);
    if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times what the chart changes: ${line}`);
    text = parts.join(template);
  }
  return text;
}

function chartYaml(): string {
  return `apiVersion: v2
name: ksnoop
description: The agents of ksnoop, network captures of Kubernetes objects
type: application
version: ${VERSION}
appVersion: ${JSON.stringify(VERSION)}
`;
}

const VALUES = `# The agents' image, as the nodes can pull it or already have it. Required: there is no public one.
image: ""
# Names of Secrets in namespace ksnoop to pull it with.
pullSecrets: []
# For nodes that enforce SELinux, as daemonset/overlays/selinux.
selinux: false
`;

const SCHEMA = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  additionalProperties: false,
  properties: {
    image: { type: 'string' },
    pullSecrets: { type: 'array', items: { type: 'string' } },
    selinux: { type: 'boolean' },
    global: { type: 'object' },
  },
};

const NOTES = `The agents run in namespace ksnoop. See whether they are ready: ksnoop status
`;
