import { expect, test } from 'vitest';
import { filesIn, networkState } from '../../../src/agent/netns/network-state.ts';

const OUTPUT = `==> /proc/self/net/snmp <==
Ip: Forwarding DefaultTTL InReceives
Ip: 1 64 128
Tcp: RtoAlgorithm ActiveOpens RetransSegs
Tcp: 1 17 0

==> /proc/self/net/snmp6 <==
Ip6InReceives                   \t5
Udp6InErrors                    \t0
UdpLite6InDatagrams             \t9

==> /proc/self/net/netstat <==
TcpExt: SyncookiesSent ListenOverflows ListenDrops
TcpExt: 0 3 4
IpExt: InNoRoutes
IpExt: 2

==> /proc/self/net/dev <==
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:     100       1    0    0    0     0          0         0      100       1    0    0    0     0       0          0
eth0.5: 2000 20 1 2 0 0 0 0 3000 30 3 4 0 0 0 0

==> /proc/sys/net/netfilter/nf_conntrack_max <==
262144

==> /proc/self/net/stat/nf_conntrack <==
entries  clashres insert_failed drop early_drop
00000010  00000000 0000000a 00000000 00000001
00000010  00000000 00000003 00000000 00000000

==> /proc/sys/net/ipv4/ip_local_port_range <==
32768\t60999

==> /proc/self/net/tcp <==
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 00000000:0050 00000000:0000 0A 00000000:00000002 00:00000000 00000000     0        0 2 1 0 100 0 0 10 0
   2: 0301A8C0:0050 0501A8C0:C001 01 00000000:00000000 00:00000000 00000000     0        0 3 1 0 20 4 30 10 -1

==> /proc/self/net/tcp6 <==
  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000001000000:0277 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4 1 0 100 0 0 10 0
`;

test('the files of a namespace are understood', () => {
  expect(networkState(filesIn(OUTPUT))).toEqual({
    counters: {
      'Ip Forwarding': 1,
      'Ip DefaultTTL': 64,
      'Ip InReceives': 128,
      'Tcp RtoAlgorithm': 1,
      'Tcp ActiveOpens': 17,
      'TcpExt ListenOverflows': 3,
      'TcpExt ListenDrops': 4,
      'IpExt InNoRoutes': 2,
      'Conntrack insert_failed': 13,
      'Conntrack early_drop': 1,
      'Ip6 InReceives': 5,
      'UdpLite6 InDatagrams': 9,
    },
    interfaces: [
      {
        name: 'lo',
        ...{ receivedBytes: 100, receivedPackets: 1, receiveErrors: 0, receiveDropped: 0 },
        ...{ sentBytes: 100, sentPackets: 1, sendErrors: 0, sendDropped: 0 },
      },
      {
        name: 'eth0.5',
        ...{ receivedBytes: 2000, receivedPackets: 20, receiveErrors: 1, receiveDropped: 2 },
        ...{ sentBytes: 3000, sentPackets: 30, sendErrors: 3, sendDropped: 4 },
      },
    ],
    listening: [
      { address: '127.0.0.1', port: 8080, queue: 0 },
      { address: '0.0.0.0', port: 80, queue: 2 },
      { address: '::1', port: 631, queue: 0 },
    ],
    connections: { established: 1 },
    portRange: { first: 32_768, last: 60_999 },
  });
});

test('files that are not there leave their members out, and text of any kind is not an error', () => {
  expect(networkState(filesIn(''))).toEqual({ counters: {} });
  for (let length = 0; length < OUTPUT.length; length += 7) {
    expect(() => networkState(filesIn(OUTPUT.slice(0, length)))).not.toThrow();
  }
});

test('conntrack needs both of its files', () => {
  const both = `${OUTPUT}\n==> /proc/sys/net/netfilter/nf_conntrack_count <==\n12\n`;
  expect(networkState(filesIn(OUTPUT)).conntrack).toBeUndefined();
  expect(networkState(filesIn(both)).conntrack).toEqual({ count: 12, maximum: 262_144 });
});
