import { BlockList, isIP } from 'node:net';
import type { PolicyPeerFacts } from '../cluster-facts.ts';
import { type Known, some } from './known.ts';

/** Whether an address is in a block and in none of its exceptions; undefined where one of the texts is not understood. */
export function containsAddress({ cidr, except }: NonNullable<PolicyPeerFacts['ipBlock']>, address: string): Known {
  const isIn = isInCidr(cidr, address);
  if (isIn !== true) return isIn;
  const isExcepted = some(except, (one) => isInCidr(one, address));
  return isExcepted === undefined ? undefined : !isExcepted;
}

function isInCidr(cidr: string, address: string): Known {
  const slash = cidr.lastIndexOf('/');
  const network = cidr.slice(0, slash);
  const length = cidr.slice(slash + 1);
  const family = isIP(network);
  const wanted = isIP(address);
  if (slash < 0 || family === 0 || wanted === 0 || !/^\d{1,3}$/.test(length)) return undefined;
  if (Number(length) > (family === 4 ? 32 : 128)) return undefined;
  if (family !== wanted) return false;
  const list = new BlockList();
  const name = family === 4 ? 'ipv4' : 'ipv6';
  list.addSubnet(network, Number(length), name);
  return list.check(address, name);
}
