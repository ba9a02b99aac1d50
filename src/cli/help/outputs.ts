import type { Topic } from './topic.ts';

export const outputs: Topic = {
  name: 'outputs',
  summary: 'where packets go and what is made of them',
  sections: [
    {
      title: 'Forms: -o',
      parts: [
        {
          terms: [
            [
              'pcapng',
              'packets with the names of pods, Services and nodes, and the count of what was lost; the default into a pipe or file',
            ],
            ['pcap', 'packets alone, for old tools'],
            ['text', 'a line for each request with its answer, and for each event; the default on a terminal'],
            ['json', 'the same, a JSON object on each line'],
            ['summary', 'added up: services, routes, errors, latencies, TCP; --json for programs'],
            ['flows', 'every connection with the health of TCP; --json for programs'],
            ['packets', 'a line for each packet; --json for programs'],
          ],
        },
      ],
    },
    {
      title: 'Places',
      parts: [
        {
          terms: [
            ['-w FILE', 'a file, readable by you alone; one that exists needs --force'],
            ['| wireshark -k -i -', 'any program that reads pcapng'],
            ['--wireshark', 'start Wireshark'],
            ['ksnoop extcap install', "the cluster in Wireshark's own list of interfaces, in its dialog and toolbar"],
          ],
        },
        {
          text: 'stdout carries data alone; progress, errors and the closing summary go to stderr. -q prints less, -v more.',
        },
      ],
    },
    {
      title: 'What was lost',
      parts: [
        {
          text: 'The closing summary always says how many packets were captured, received, dropped by the kernel, dropped by ksnoop, and truncated; the file holds the same in its statistics. A stretch without packets, because a stream broke, is called GAP. With --strict loss is exit code 5.',
        },
      ],
    },
    {
      title: 'Exit codes',
      parts: [
        {
          terms: [
            ['0', 'done'],
            ['1', 'failed while running'],
            ['2', 'wrong use'],
            ['3', 'no target'],
            ['4', 'partial: a target failed, or there is a gap'],
            ['5', 'truncated input, or lossy under --strict'],
          ],
        },
      ],
    },
  ],
};
