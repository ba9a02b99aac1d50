import type { Kube } from '../../capture/kube/kube.ts';

/** What was found of one thing. */
export interface Finding {
  readonly check: string;
  /** A problem stops captures; a warning costs something; what is skipped could not be looked at. */
  readonly state: 'ok' | 'warning' | 'problem' | 'skipped';
  readonly message: string;
  /** The command that fixes it, or what to do; empty when nothing is to be done. */
  readonly fix: string;
}

/** A thing that is looked at, and how. It never throws for what it finds. */
export interface Check {
  readonly name: string;
  look(surroundings: Surroundings): Promise<readonly Finding[]> | readonly Finding[];
}

export interface Surroundings {
  /** Undefined when no cluster can be talked to: then what needs one is skipped. */
  readonly kube: Kube | undefined;
  /** The namespace whose permissions are checked. */
  readonly namespace: string;
  readonly signal: AbortSignal;
}

/** Findings of a check, by its name. */
export function findings(check: string) {
  return {
    ok: (message: string): Finding => ({ check, state: 'ok', message, fix: '' }),
    warning: (message: string, fix = ''): Finding => ({ check, state: 'warning', message, fix }),
    problem: (message: string, fix = ''): Finding => ({ check, state: 'problem', message, fix }),
    skipped: (message: string): Finding => ({ check, state: 'skipped', message, fix: '' }),
  };
}

export const NO_CLUSTER = 'skipped: no kubeconfig';
