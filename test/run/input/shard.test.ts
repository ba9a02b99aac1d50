import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { expect, it } from 'vitest';
import { inShard, sequenceOf } from '../../../src/run/input/shard.ts';

const inputs = (...paths: string[]) => paths.map((path) => ({ path, named: false }));

it('files of one capture have one name', () => {
  for (const [path, sequence] of [
    ['a/web-00001.pcapng', 'a/web.pcapng'],
    ['a/web-123456.pcapng.zst', 'a/web.pcapng.zst'],
    ['web_00012_20261129140307.pcapng', 'web.pcapng'],
    ['web.pcap12', 'web.pcap'],
    ['web.pcapng3', 'web.pcapng'],
    ['web-7.pcapng', 'web-7.pcapng'],
    ['web-00001/a.pcap', 'web-00001/a.pcap'],
    ['web', 'web'],
  ] as const) {
    expect(sequenceOf(path)).toBe(sequence);
  }
});

it('each file is in one shard, with the others of its capture', () => {
  const files = Array.from({ length: 40 }, (_, pod) => [1, 2, 3].map((part) => `web-${pod}-0000${part}.pcapng`)).flat();
  for (const of of [1, 3, 7, 64]) {
    const shards = Array.from({ length: of }, (_, index) => inShard(inputs(...files), { index, of }));
    expect(
      shards
        .flat()
        .map(({ path }) => path)
        .sort(),
    ).toEqual([...files].sort());
    for (const shard of shards) {
      // The order of the files stays, and captures are whole.
      expect(shard.length % 3).toBe(0);
      expect(shard.map(({ path }) => path)).toEqual(files.filter((file) => shard.some(({ path }) => path === file)));
    }
    const sizes = shards.map(({ length }) => length);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(3);
  }
  expect(inShard(inputs('a.pcap'), { index: 1, of: 2 })).toEqual([]);
});

it.each(['parquet', 'summary'])(
  "the %s Job's command takes the part of its index, and as many parts as it has",
  (name) => {
    const path = join(import.meta.dirname, `../../../docs/kubernetes/${name}-job.yaml`);
    const { spec } = load(readFileSync(path, 'utf8')) as {
      spec: {
        completionMode: string;
        completions: number;
        template: { spec: { containers: { command: string[] }[] } };
      };
    };
    expect(spec.completionMode).toBe('Indexed');
    expect(spec.template.spec.containers[0]?.command.join(' ')).toContain(
      `--shard $(JOB_COMPLETION_INDEX)/${spec.completions} `,
    );
  },
);
