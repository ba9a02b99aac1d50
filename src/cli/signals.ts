/** Signals that ask ksnoop to end: Ctrl-C, kill, and a terminal that hangs up. */
const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Handle the signals that ask ksnoop to end.
 * @param handler called with how many have come, from 1
 * @returns ends the handling: a further signal ends the process
 */
export function onStopSignals(handler: (count: number) => void): () => void {
  let count = 0;
  const take = () => {
    count += 1;
    handler(count);
  };
  for (const signal of STOP_SIGNALS) process.on(signal, take);
  return () => {
    for (const signal of STOP_SIGNALS) process.off(signal, take);
  };
}
