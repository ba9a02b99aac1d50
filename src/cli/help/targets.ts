import { TARGET_KINDS } from '../../capture/kinds/index.ts';
import type { Topic } from './topic.ts';

export const targets: Topic = {
  name: 'targets',
  summary: 'what can be captured, and how it is named',
  sections: [
    {
      title: 'Naming targets',
      parts: [
        {
          text: 'Targets are named as kubectl names objects. What a workload or Service stands for is its pods, on whatever nodes.',
        },
        {
          terms: [
            ['pod/web-1', 'one pod'],
            ['svc/web deploy/api', 'several objects of several kinds'],
            ['pod web-1 web-2', 'several of one kind'],
            ['deploy,sts web', 'of several kinds whatever has this name'],
            [
              "'pod/web-*'",
              'a pattern: * any characters, ? one, [a-c] one of these; in quotes, for the shell has patterns too',
            ],
            ['-l app=web', 'pods with these labels; with a kind, objects of that kind'],
            ['-n shop,stage', "in these namespaces; -A in all; without either the context's"],
            ['--node n1', 'only pods on this node'],
            ['--clients', 'also the pods that are seen speaking to the targets'],
          ],
        },
      ],
    },
    {
      title: 'Kinds',
      parts: [
        {
          terms: TARGET_KINDS.map(
            ({ name, aliases }) => [name, aliases.length === 0 ? '' : `also ${aliases.join(', ')}`] as const,
          ),
        },
        { text: 'Custom resources whose objects own pods can be named as well, by any name kubectl takes for them.' },
      ],
    },
    {
      title: 'While it runs',
      parts: [
        {
          text: 'A rollout is followed: pods that appear join the capture, those that go leave it. --no-follow keeps to the pods there are at the start. --dry-run shows what would be captured.',
        },
      ],
    },
    {
      title: 'Without a cluster',
      parts: [
        { text: 'With --local the agent runs on this machine, as on a node one has logged in to:' },
        {
          terms: [
            ['netns/NAME', 'a network namespace of ip-netns(8)'],
            ['pid/4711', 'the network namespace of a process'],
            ['host', "the machine's own network"],
            ['pod/NAME -n shop', 'a pod of this node, by its logs in /var/log/pods'],
          ],
        },
      ],
    },
  ],
};
