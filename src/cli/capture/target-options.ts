import { DEPTH_MAXIMUM } from '../../capture/limits.ts';
import { commaList, type TargetSelection } from '../../run/capture/target-query.ts';
import { usage } from '../usage.ts';

/** The flags that choose targets, as commander hands them over. */
export interface RawTargetOptions {
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
  readonly selector?: string;
  readonly fieldSelector?: string;
  readonly node?: string;
  readonly backendsOnly?: boolean;
  readonly controllerOnly?: boolean;
  readonly crossNamespace?: boolean;
  readonly maxTargets?: string;
  readonly clients?: boolean;
  /** Of `trace`: as typed. */
  readonly depth?: string;
  /** Of `trace`. */
  readonly ownNodes?: boolean;
  /** `--no-follow` makes it false. */
  readonly follow?: boolean;
}

/**
 * Complete the flags that choose targets.
 * @param maximum the default of --max-targets
 * @throws KsnoopError USAGE (exit 2)
 */
export function completeTargets(raw: RawTargetOptions, local: boolean, maximum: number): TargetSelection {
  if (raw.allNamespaces && raw.namespace !== undefined) throw usage('-A and -n exclude each other.');
  if (raw.backendsOnly && raw.controllerOnly) throw usage('--backends-only and --controller-only exclude each other.');
  if (local) {
    const alien = (['allNamespaces', 'selector', 'fieldSelector', 'node', 'clients', 'depth'] as const).find(
      (key) => raw[key] !== undefined,
    );
    if (alien !== undefined) throw usage(`--local uses no cluster, so ${FLAGS[alien]} has no meaning with it.`);
  }
  for (const [flag, value] of [
    ['-l', raw.selector],
    ['--field-selector', raw.fieldSelector],
    ['-n', raw.namespace],
    ['--node', raw.node],
  ]) {
    if (value !== undefined && commaList(value).length === 0) throw usage(`${flag} takes a value.`);
  }
  return {
    namespace: raw.namespace,
    allNamespaces: raw.allNamespaces === true,
    selector: raw.selector,
    fieldSelector: raw.fieldSelector,
    nodes: commaList(raw.node ?? ''),
    sides: { backends: raw.controllerOnly !== true, controller: raw.backendsOnly !== true },
    crossNamespaces: raw.crossNamespace === true,
    maxTargets: raw.maxTargets === undefined ? maximum : boundOf(raw.maxTargets),
    follow: raw.follow !== false,
    clients: raw.clients === true,
    depth: raw.depth === undefined ? 0 : depthOf(raw.depth),
    ownNodes: raw.ownNodes === true,
  };
}

const FLAGS = {
  allNamespaces: '-A',
  selector: '-l',
  fieldSelector: '--field-selector',
  node: '--node',
  clients: '--clients',
  depth: '--depth',
} as const;

function depthOf(text: string): number {
  if (/^\d$/.test(text) && Number(text) <= DEPTH_MAXIMUM) return Number(text);
  throw usage(`--depth takes a whole number from 0 to ${DEPTH_MAXIMUM}, not "${text}".`);
}

function boundOf(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw usage(`--max-targets takes a whole number from 1 to 99999, not "${text}".`);
}
