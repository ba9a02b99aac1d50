import type { Topic } from './topic.ts';

export const filters: Topic = {
  name: 'filters',
  summary: 'packets with -f, exchanges with --where',
  sections: [
    {
      title: 'Packets: -f',
      parts: [
        {
          text: 'A BPF filter as tcpdump takes it, pcap-filter(7). The node compiles it and its kernel applies it: packets that do not pass cost almost nothing.',
        },
        {
          terms: [
            ['-f "tcp port 80"', 'one port, both directions'],
            ['-f "host 10.0.0.7 and not port 22"', 'an address'],
            ['-f "tcp[tcpflags] & (tcp-syn|tcp-rst) != 0"', 'connection starts and resets'],
            ['-f "udp port 53"', 'DNS'],
          ],
        },
        {
          text: 'A filter sees the addresses at the place of capture: a client pod sends to the address of the Service, the server pod receives on its own address.',
        },
      ],
    },
    {
      title: 'Exchanges: --where',
      parts: [
        {
          text: 'An expression in CEL over the members that -o json shows. It chooses what is shown. Everything is still captured and counted.',
        },
        {
          terms: [
            ["--where 'http.status >= 500'", 'failures'],
            ['--where \'latency > duration("200ms")\'', 'slow requests'],
            ['--where \'dst.service == "web" && http.path.startsWith("/cart")\'', 'one path of a Service'],
            ['--where \'dns.rcode == "NXDOMAIN"\'', 'DNS names that do not exist'],
          ],
        },
        {
          text: 'Quote the expression for the shell. ksnoop help fields lists every field with its type and an example; the shell completes their names.',
        },
      ],
    },
    {
      title: 'Capture less',
      parts: [
        {
          terms: [
            ['-c NAME', 'only the ports that the container declares; containers of a pod share its network'],
            ['-i eth0', 'one interface of the pod; default: all'],
            ['-s 128', 'only the first 128 bytes of each packet'],
            ['--headers-only', 'only the headers of each packet: enough for flows and TCP health'],
            ['--count N, --max-bytes SIZE, --duration TIME', 'stop after that'],
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
