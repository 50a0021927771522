// What every SDK's cases share: the question, the simulator's control surface, and how results are told.
import assert from 'node:assert/strict';

export const base = process.env.SIMULATOR_URL;
export const keys = JSON.parse(process.env.SIMULATOR_KEYS);

const lines = Array.from({ length: 12 }, (_, i) =>
  `[m${i}] ann: we decided item ${i} of the release plan`);
export const question = `What was decided?\n<transcript>\n${lines.join('\n')}\n</transcript>`;

export const tool = {
  name: 'look_up',
  description: 'Finds a document.',
  schema: { type: 'object', properties: { query: { type: 'string' } }, required: ['query'] },
};

/** Replaces the fault schedule of one simulated endpoint, runs `work`, and clears it. */
export async function with_fault(endpoint, fault, work) {
  const order = (faults) => fetch(`${base}/control/faults`, {
    method: 'POST',
    body: JSON.stringify({ endpoint, faults }),
  });
  assert.equal((await order([fault])).status, 200);
  try {
    return await work();
  } finally {
    await order([]);
  }
}

/** The answer is the extractive model's: it quotes lines of the question. */
export function expect_answer(text) {
  assert.match(text, /\[m\d+/);
}

export function expect_arguments(value) {
  const input = typeof value === 'string' ? JSON.parse(value) : value;
  assert.ok(input.query.length > 0);
}

/** Fails unless `work` throws; gives the error to `check`. */
export async function expect_error(work, check) {
  let failure;
  try {
    await work();
  } catch (error) {
    failure = error;
  }
  assert.ok(failure, 'the SDK reported no error');
  check?.(failure);
}

/** Runs named cases one after the other; one JSON line each. */
export async function run(sdk, cases) {
  let failed = 0;
  for (const [name, work] of Object.entries(cases)) {
    let problem = null;
    try {
      await work();
    } catch (error) {
      problem = `${error?.stack ?? error}`;
      ++failed;
    }
    console.log(JSON.stringify({ sdk, name, ok: problem === null, problem }));
  }
  process.exitCode = failed ? 1 : 0;
}
