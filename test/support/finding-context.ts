import { Hosts } from '../../src/analyze/identity/hosts.ts';
import { Names } from '../../src/analyze/identity/names.ts';
import { NetworkStates } from '../../src/analyze/state/network-states.ts';

/** What detectors are given, of an analysis that knows no names and no interfaces. @param epoch the first packet's time, ns since 1970 */
export function findingContext(epoch: bigint, hosts = new Hosts(), names = new Names(hosts)) {
  return { hosts, names, states: new NetworkStates(), interfaceName: () => undefined, epoch: () => epoch };
}
