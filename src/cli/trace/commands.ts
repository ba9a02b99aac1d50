import type { Command } from 'commander';
import {
  addPacketFlags,
  addTargetFlags,
  addTransportFlags,
  CLOCK_FLAG,
  KEYLOG_FLAG,
  SECRETS_FLAG,
  UTC_FLAG,
  WHERE_FLAG,
} from '../capture/flags.ts';
import { addExamples } from '../examples.ts';
import { addVerbosityFlags } from '../flags.ts';
import type { TraceOptions } from './command.ts';

/** `ksnoop trace`: requests hop by hop, of a running capture or of files. */
export function addTraceCommand(ksnoop: Command, setExit: (code: number) => void): void {
  const trace = ksnoop
    .command('trace')
    .description('requests hop by hop, through Services and proxies: where the time went and where packets were lost')
    .argument('[targets...]', 'KIND/NAME ... as capture takes them, or files as read takes them; - for stdin');
  addTargetFlags(trace);
  addPacketFlags(trace)
    .option('--duration <TIME>', 'stop after this time: 30s, 5m, 1h30m')
    .option('--count <N>', 'stop after N packets')
    .option(...CLOCK_FLAG);
  trace
    .option('-o, --output <FORMAT>', 'lines: one per request, then tables; summary: only a table per route', 'lines')
    .option(
      '--depth <N>',
      'also capture Services and pods that the targets are seen calling, N calls away (default: 0)',
    )
    .option('--nodes', "also capture the interfaces of the captured pods' nodes, as hops between the pods")
    .option('--json', 'an object a line')
    .option('-w, --write <FILE>', 'also keep the packets in FILE, to trace them again')
    .option('--force', 'overwrite an existing file')
    .option(...WHERE_FLAG)
    .option(...SECRETS_FLAG)
    .option(...KEYLOG_FLAG)
    .option(...UTC_FLAG);
  addTransportFlags(trace);
  addVerbosityFlags(trace).action(async (words: string[], options: TraceOptions) => {
    const { traceCommand } = await import('./command.ts');
    setExit(await traceCommand(words, options));
  });
  addExamples(trace, [
    ['trace svc/web -n shop', 'requests of a Service, from its clients to its pods'],
    ['trace ingress/shop svc/api -v', 'through the ingress controller and on to another Service, with all hops'],
    ['trace svc/web --depth 2 -v', 'also the Services that web calls, and those that they call'],
    [
      'trace svc/web --nodes -o summary --duration 1m',
      "hops with the nodes' own interfaces, a table per route at the end",
    ],
    ['trace incident.pcapng --where \'latency > duration("1s")\'', 'slow requests of a capture'],
  ]);
}
