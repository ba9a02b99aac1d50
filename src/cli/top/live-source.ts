import type { RunningCapture } from '../../capture/streams/capture.ts';
import { type CaptureReport, carries, countersOf } from '../../capture/streams/report.ts';
import { analysisNotes } from '../../run/analysis/notes.ts';
import type { CaptureState, NodeState, TargetState } from '../../view/top/model.ts';
import { counted } from '../../view/units.ts';
import type { Top, TopSource } from './model.ts';
import { Remarks } from './remarks.ts';

/** A capture that runs. */
export class LiveSource implements TopSource {
  readonly remarks = new Remarks();
  readonly position = undefined;
  readonly reading = undefined;
  readonly replaying = false;
  readonly #named: string;
  readonly #model: () => Top;
  #running: RunningCapture | undefined;
  #report: CaptureReport | undefined;

  /** @param named the targets as the user named them */
  constructor(named: string, model: () => Top) {
    this.#named = named;
    this.#model = model;
  }

  readonly live = true;

  get trouble(): string | undefined {
    const gaps = this.#report?.gaps ?? [];
    const lost = gaps.filter(({ until }) => until === undefined);
    if (lost.length > 0) return `${lost.map(({ node }) => node).join(', ')} lost`;
    const failed = this.#report?.failed().length ?? 0;
    const words = [
      ...(gaps.length === 0 ? [] : [counted(gaps.length, 'gap')]),
      ...(failed === 0 ? [] : [`${counted(failed, 'target')} failed`]),
    ];
    return words.length === 0 ? undefined : words.join(', ');
  }

  started(running: RunningCapture, report: CaptureReport): void {
    this.#running = running;
    this.#report = report;
  }

  capture(): CaptureState {
    const { kept, onNodes } = this.#model();
    const session = kept?.session;
    return {
      source: this.#named === '' ? this.#labels() : this.#named,
      packets: (onNodes ? session?.capture.analysis.packets : this.#running?.tally.packets) ?? 0,
      bytes: (onNodes ? session?.capture.bytes : this.#running?.tally.bytes) ?? 0,
      targets: this.#targets(),
      nodes: this.#nodes(),
      remarks: this.remarks.all,
      memory: process.memoryUsage.rss(),
      gaps: this.#report?.gaps.length ?? 0,
      bounds: session === undefined ? [] : analysisNotes(session),
    };
  }

  #labels(): string {
    return [...(this.#report?.targets.values() ?? [])].map(({ label }) => label).join(' ');
  }

  #targets(): TargetState[] {
    // Packets that stay on their nodes are counted by their agents.
    const { onNodes } = this.#model();
    const tallies = this.#running?.tally.interfaces ?? [];
    return [...(this.#report?.targets.values() ?? [])].map((target) => {
      const own = tallies.filter((tally) => carries(target, tally));
      const { captured, droppedByKernel, droppedByKsnoop } = countersOf(target);
      const sum = (pick: (tally: (typeof own)[number]) => number) => own.reduce((all, each) => all + pick(each), 0);
      return {
        label: target.label,
        state: target.state === 'failed' ? (target.error?.message ?? 'failed') : target.state,
        failed: target.state === 'failed',
        interfaces: own.map(({ name }) => name),
        packets: onNodes ? captured : sum(({ packets }) => packets),
        bytes: sum(({ bytes }) => bytes),
        truncated: sum(({ truncated }) => truncated),
        droppedByKernel,
        droppedByKsnoop,
      };
    });
  }

  #nodes(): NodeState[] {
    return (this.#running?.nodes() ?? []).map(({ label, transport, clock, gaps }) => {
      const lost = gaps.findLast(({ until }) => until === undefined);
      const before = gaps.filter(({ until }) => until !== undefined).length;
      const since = lost === undefined ? '' : `lost since ${lost.from.toLocaleTimeString('en-GB')}: ${lost.reason}`;
      const again = before === 0 ? 'capturing' : `capturing, after ${before === 1 ? 'a gap' : `${before} gaps`}`;
      return {
        node: label,
        way: transport,
        clock,
        state: lost === undefined ? again : since,
        failed: lost !== undefined,
      };
    });
  }
}
