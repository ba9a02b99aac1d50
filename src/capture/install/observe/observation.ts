import { EXIT, KsnoopError } from '../../../wire/errors.ts';
import {
  arrayAt,
  isObject,
  type JsonObject,
  objectAt,
  optionalNumber,
  optionalString,
  parseJson,
  stringsAt,
} from '../../../wire/guard.ts';

/** What an installed `ksnoop observe` observes, and where it sends it. */
export interface Observation {
  /** As `ksnoop observe` takes them: `svc/web`. */
  readonly targets: readonly string[];
  /** Of the targets; undefined: all. */
  readonly namespaces: readonly string[] | undefined;
  /** Labels of the targets (-l). */
  readonly selector?: string | undefined;
  /** Further words of its command line: `--otlp`, `http://collector:4318`. */
  readonly flags: readonly string[];
  /** A Secret in the agents' namespace whose key `headers` has the headers of each request. */
  readonly headersSecret?: string | undefined;
  /** The port that Prometheus scrapes. */
  readonly port?: number | undefined;
  /** Certificates of authorities, PEM. */
  readonly ca?: string | undefined;
}

/** Where the Deployment has its observation, as JSON without the certificates. */
export const OBSERVATION_ANNOTATION = 'ksnoop.io/observe';

/** The ConfigMap's key with the certificates. */
export const CA_KEY = 'ca.pem';

/** The annotation's text. */
export function observationText({ ca: _, ...rest }: Observation): string {
  return JSON.stringify(rest);
}

/**
 * The observation of an installed Deployment.
 * @param configMap with the certificates, where there is one
 * @throws KsnoopError BAD_MANIFEST when its annotation is none that ksnoop wrote
 */
export function installedObservation(deployment: JsonObject, configMap: JsonObject | undefined): Observation {
  const text = stringsAt(objectAt(deployment, 'metadata'), 'annotations')[OBSERVATION_ANNOTATION] ?? '';
  const ca = configMap === undefined ? undefined : stringsAt(configMap, 'data')[CA_KEY];
  let json: unknown;
  try {
    json = parseJson(text, OBSERVATION_ANNOTATION);
  } catch {
    json = undefined;
  }
  if (!isObject(json)) throw unreadable();
  const words = (key: string) => {
    const list = arrayAt(json, key);
    if (!list.every((word) => typeof word === 'string')) throw unreadable();
    return list.map(String);
  };
  return {
    targets: words('targets'),
    namespaces: json.namespaces === undefined ? undefined : words('namespaces'),
    selector: optionalString(json, 'selector'),
    flags: words('flags'),
    headersSecret: optionalString(json, 'headersSecret'),
    port: optionalNumber(json, 'port'),
    ca,
  };
}

/** The words of `ksnoop observe`. @param caPath where its container has the certificates */
export function observeWords({ targets, namespaces, selector, flags, ca }: Observation, caPath: string): string[] {
  return [
    ...targets,
    ...(namespaces === undefined ? ['-A'] : ['-n', namespaces.join(',')]),
    ...(selector === undefined ? [] : ['-l', selector]),
    ...flags,
    ...(ca === undefined ? [] : ['--otlp-ca', caPath]),
  ];
}

function unreadable(): KsnoopError {
  return new KsnoopError(
    'BAD_MANIFEST',
    `The Deployment's annotation ${OBSERVATION_ANNOTATION} is not as ksnoop wrote it.`,
    {
      hint: 'Install it again with its targets: ksnoop install --observe TARGET -n NAMESPACE --otlp URL; or remove it: ksnoop uninstall --observe',
      exit: EXIT.failed,
    },
  );
}
