import { ruleLines } from '../../capture/plan/permissions.ts';
import { RESUME_WINDOW_MS } from '../../wire/limits.ts';
import type { Topic } from './topic.ts';

export const security: Topic = {
  name: 'security',
  summary: 'which permissions (RBAC) it needs, and what it may do',
  sections: [
    {
      title: 'Who may capture',
      parts: [
        {
          text: 'Whoever may create pods/exec or pods/portforward in namespace ksnoop reads the traffic of every pod on every node, passwords and tokens in plain text included. pods/exec gives more, any program of the container of the agent: give it as you would give root on the nodes. One of the two is enough. Every use of either is in the audit log of the API server, and the agent logs one line for each capture.',
        },
        { text: 'To capture pods you need:' },
        { lines: ruleLines(true) },
        { text: 'With these rules as well ksnoop follows pods that start later, and addresses have names:' },
        { lines: ruleLines(false) },
        {
          text: 'Other targets than pods need get on the object, and list and watch to follow its changes: docs/permissions.md has every kind. When a permission is missing, ksnoop prints the words of the API server and the rule that is missing. ksnoop doctor checks them all, and ksnoop TARGET --dry-run those that one capture uses.',
        },
      ],
    },
    {
      title: 'What the agent may do',
      parts: [
        {
          text: 'The agent is a DaemonSet. It is not privileged and has neither the network of the host, nor the socket of the container runtime, nor an API token. It has hostPID and the capabilities SYS_PTRACE, SYS_ADMIN, NET_RAW, SETUID, SETGID, SETPCAP and KILL. They let it find the network namespace of a pod in /proc, enter it, and start and end tcpdump there: as a user of its own with NET_RAW alone.',
        },
        {
          text: `With agents, ksnoop changes nothing in the pods; docs/agentless.md describes what --agentless changes. When ksnoop ends, the agent stops capturing at once. When ksnoop is killed or its connection breaks, the agent stops after ${RESUME_WINDOW_MS / 1000} seconds (--resume-window).`,
        },
      ],
    },
    {
      title: 'What is shown',
      parts: [
        {
          text: 'Passwords, cookies, Authorization and the like are shown as *** unless --show-secrets is given; packets and capture files contain them as they were sent. Capture files are created with mode 0600. Control characters from the network are escaped before they reach your terminal.',
        },
      ],
    },
  ],
};
