import type { Topic } from './topic.ts';

export const filters: Topic = {
  name: 'filters',
  summary: 'packets with -f, exchanges with --where',
  sections: [
    {
      title: 'Packets: -f',
      parts: [
        {
          text: 'A BPF filter in the language of tcpdump, pcap-filter(7). It is compiled on the node and applied in its kernel: packets that do not pass cost nothing.',
        },
        {
          terms: [
            ['-f "tcp port 80"', 'one port, both directions'],
            ['-f "host 10.0.0.7 and not port 22"', 'an address'],
            ['-f "tcp[tcpflags] & (tcp-syn|tcp-rst) != 0"', 'beginnings and resets of connections'],
            ['-f "udp port 53"', 'DNS'],
          ],
        },
        {
          text: 'A filter sees the addresses of the place of capture: a client pod sends to the address of a Service, the server pod receives on its own.',
        },
      ],
    },
    {
      title: 'Exchanges: --where',
      parts: [
        {
          text: 'An expression in CEL over the members that -o json shows. It chooses what is displayed; everything is still captured and counted.',
        },
        {
          terms: [
            ["--where 'http.status >= 500'", 'failures'],
            ['--where \'latency > duration("200ms")\'', 'what was slow'],
            ['--where \'dst.service == "web" && http.path.startsWith("/cart")\'', 'part of a Service'],
            ['--where \'dns.rcode == "NXDOMAIN"\'', 'names that are not there'],
          ],
        },
        {
          text: 'Quote the expression for the shell. ksnoop help fields lists every field with its type and an example; the shell completes their names.',
        },
      ],
    },
    {
      title: 'Less of everything',
      parts: [
        {
          terms: [
            ['-c NAME', 'the ports a container declares; containers of a pod share its network'],
            ['-i eth0', 'one interface of the pod, instead of all'],
            ['-s 128', 'the first 128 bytes of each packet'],
            ['--headers-only', 'the headers of each packet: enough for flows and the health of TCP'],
            ['--count N, --max-bytes SIZE, --duration TIME', 'an end'],
            [
              '-C SIZE, -G TIME, -W N, --ring',
              'with -w: several files, each complete; at most N of them, or the newest N',
            ],
          ],
        },
      ],
    },
  ],
};
