/** `node test/oracle/loss/main.ts [PROTOCOL|all] [RUNS] [FIRST SEED] [SCENARIO]`: what is stated wrongly, by kind, with samples. */
import type { ConversationName } from './index.ts';
import { NAMES, run, SCENARIOS } from './run.ts';

const [which = 'all', runs = '200', first = '1', scenario = 'capture'] = process.argv.slice(2);
const SAMPLES = 3;

for (const name of NAMES.filter((known: ConversationName) => which === 'all' || known === which)) {
  const kinds = new Map<string, string[]>();
  const total = { runs: 0, wrong: 0, whole: 0, stated: 0 };
  for (let seed = Number(first); seed < Number(first) + Number(runs); seed += 1) {
    const { wrong, whole, stated } = run(
      name,
      seed,
      SCENARIOS.find((known) => known === scenario),
    );
    total.runs += wrong.length > 0 ? 1 : 0;
    total.wrong += wrong.length;
    total.whole += whole;
    total.stated += stated;
    for (const problem of wrong) {
      const kind = problem.split(': ').at(-1) ?? '';
      kinds.set(kind, [...(kinds.get(kind) ?? []), problem]);
    }
  }
  console.log(
    `${name}: ${total.wrong} wrong in ${total.runs} of ${runs} runs; ${total.stated} of ${total.whole} captured exchanges stated whole`,
  );
  for (const [kind, problems] of kinds) {
    console.log(`  ${problems.length} × ${kind}`);
    for (const problem of problems.slice(0, SAMPLES)) console.log(`      ${problem}`);
  }
}
