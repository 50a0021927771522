// As many workflows at once as asked for, each followed by another, for a while; figures as bench/figures.hpp prints them.
import { performance } from "node:perf_hooks";

const repetitions = 3;
const span = 1000 * Number(process.env.TROUPE_BENCH_SECONDS ?? 2);
const filter = process.env.TROUPE_BENCH_FILTER ?? "";

function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(share * (sorted.length - 1) + 0.5)] ?? 0;
}

function print(name, value, unit) {
  console.log(`${name} ${value.toFixed(3)} ${unit}`);
}

async function round(workflow, steps, concurrent, latencies) {
  const began = performance.now();
  let done = 0;
  const chain = async () => {
    while (performance.now() - began < span) {
      const start = performance.now();
      await workflow(steps);
      latencies.push(performance.now() - start);
      ++done;
    }
  };
  await Promise.all(Array.from({ length: concurrent }, chain));
  return (done * steps) / ((performance.now() - began) / 1000);
}

/// `workflow(steps)` runs one workflow of so many steps that do nothing, and resolves at its recorded end.
export async function measure(system, workflow) {
  for (let i = 0; i < 20; ++i) await workflow(1);
  for (const steps of [1, 3, 9])
    for (const concurrent of [1, 10, 100, 400]) {
      const name = `peer.${system}.s${steps}.c${concurrent}`;
      if (!name.startsWith(filter)) continue;
      const rates = [];
      const latencies = [];
      for (let i = 0; i < repetitions; ++i) rates.push(await round(workflow, steps, concurrent, latencies));
      print(name, quantile(rates, 0.5), "steps/s");
      print(`${name}.min`, Math.min(...rates), "steps/s");
      print(`${name}.max`, Math.max(...rates), "steps/s");
      for (const share of [0.5, 0.9, 0.99]) print(`${name}.run.p${share * 100}`, quantile(latencies, share), "ms");
    }
}
