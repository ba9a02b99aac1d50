import { type JsonObject, objectAt, objectsAt, optionalString } from '../../wire/guard.ts';
import { DESTINATION_NAME } from '../../wire/recording.ts';
import { NAME } from '../../wire/ticket-members.ts';

/** Where administrators define destinations of recordings: a ConfigMap of namespace ksnoop, a key for each. */
export const DESTINATIONS_CONFIGMAP = 'ksnoop-destinations';

/** Where the agents have the claims of destinations mounted: a directory for each, named like the destination. */
export const VOLUMES_DIRECTORY = '/var/lib/ksnoop-volumes';

/** What ksnoop uses of a volume: nothing beside it is read, written or removed. */
export const VOLUME_SUBPATH = 'ksnoop';

/** A PersistentVolumeClaim of namespace ksnoop, mounted into the agents, to which recordings may go. */
export interface ClaimDestination {
  readonly name: string;
  readonly claim: string;
}

/** Kubernetes allows a volume's name 63 characters. */
const NAME_MAXIMUM = 63 - volumeName('').length;

/**
 * Read the definition of a destination of type pvc.
 * @param name of the destination
 * @returns the destination, or what is wrong with it, part of a sentence
 */
export function claimDestination(name: string, definition: JsonObject): ClaimDestination | string {
  if (!DESTINATION_NAME.test(name)) return 'its name is none of a destination';
  if (name.length > NAME_MAXIMUM) return `its name is longer than ${NAME_MAXIMUM} characters`;
  const claim = optionalString(definition, 'claim') ?? '';
  return NAME.test(claim) ? { name, claim } : 'its claim is no name of a PersistentVolumeClaim';
}

/** The volume of the agents that is the claim of a destination for recordings. @param name of the destination */
export function volumeName(name: string): string {
  return `recordings-${name}`;
}

/** Claims that a pod mounts, by the name of their volume. @param pod as the API sends it */
export function claimsOf(pod: JsonObject): ReadonlyMap<string, string> {
  const volumes = objectsAt(objectAt(pod, 'spec'), 'volumes');
  return new Map(
    volumes.flatMap((volume) => {
      const claim = optionalString(objectAt(volume, 'persistentVolumeClaim'), 'claimName');
      return claim === undefined ? [] : [[optionalString(volume, 'name') ?? '', claim] as const];
    }),
  );
}
