import { EXIT, KsnoopError } from '../../wire/errors.ts';
import { portFilter } from '../../wire/port-filter.ts';
import { type PodView, podLabel } from '../kube/pod.ts';

/**
 * A BPF filter for the ports a container declares (`-c`): the containers of a pod share one network namespace, and
 * only their ports are different.
 * @throws KsnoopError NO_SUCH_CONTAINER, NO_CONTAINER_PORTS (exit 2)
 */
export function containerFilter(pod: PodView, name: string): string {
  const container = pod.containers.find((candidate) => candidate.name === name);
  if (container === undefined) {
    throw new KsnoopError('NO_SUCH_CONTAINER', `Pod ${podLabel(pod)} has no container ${name}.`, {
      hint: `It has: ${pod.containers.map((candidate) => candidate.name).join(', ')}.`,
      exit: EXIT.usage,
    });
  }
  if (container.ports.length === 0) {
    throw new KsnoopError('NO_CONTAINER_PORTS', `Container ${name} of pod ${podLabel(pod)} declares no ports.`, {
      hint: 'Containers of a pod share one network; filter by port instead: -f "port 8080"',
      exit: EXIT.usage,
    });
  }
  return portFilter(container.ports);
}

/** The ports that a pod on its node's network declares; undefined when it declares none: then all of the node is captured. */
export function hostNetworkFilter(pod: PodView): string | undefined {
  const ports = pod.containers.flatMap((container) => container.ports);
  return ports.length === 0 ? undefined : portFilter(ports);
}
