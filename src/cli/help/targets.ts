import { TARGET_KINDS } from '../../capture/kinds/index.ts';
import type { Topic } from './topic.ts';

export const targets: Topic = {
  name: 'targets',
  summary: 'what can be captured, and how to name it',
  sections: [
    {
      title: 'Naming targets',
      parts: [
        {
          text: 'Name targets as you name objects to kubectl. A workload or Service stands for its pods, on all nodes.',
        },
        {
          terms: [
            ['pod/web-1', 'one pod'],
            ['svc/web deploy/api', 'several objects of several kinds'],
            ['pod web-1 web-2', 'several of one kind'],
            ['deploy,sts web', 'objects of several kinds with the same name'],
            ["'pod/web-*'", 'a pattern: * any characters, ? one, [a-c] one of these; quote it for the shell'],
            ['-l app=web', 'pods with these labels; with a kind, objects of that kind'],
            ['-n shop,stage', "in these namespaces; -A: in all namespaces; default: the context's namespace"],
            ['--node n1', 'only pods on this node'],
            ['--clients', 'also the pods that talk to the targets'],
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
        { text: 'Custom resources that own pods can be named too, as kubectl names them.' },
      ],
    },
    {
      title: 'While it runs',
      parts: [
        {
          text: 'ksnoop follows rollouts: new pods join the capture, deleted pods leave it. --no-follow captures only the pods that exist at the start. --dry-run prints what would be captured.',
        },
      ],
    },
    {
      title: 'Without a cluster',
      parts: [
        { text: 'With --local the agent runs on this machine, for example on a node that you logged in to:' },
        {
          terms: [
            ['netns/NAME', 'a network namespace of ip-netns(8)'],
            ['pid/4711', 'the network namespace of a process'],
            ['host', "the machine's own network"],
            ['pod/NAME -n shop', 'a pod of this node, found by its logs in /var/log/pods'],
          ],
        },
      ],
    },
  ],
};
