// The shapes on DBOS: TROUPE_BENCH_STORE is the URL of its PostgreSQL.
import { DBOS } from "@dbos-inc/dbos-sdk";
import { measure } from "./loop.mjs";

const noop = DBOS.registerWorkflow(
  async (steps) => {
    for (let i = 0; i < steps; ++i) await DBOS.runStep(async () => ({ done: true }), { name: `step-${i}` });
    return {};
  },
  { name: "noop" },
);

DBOS.setConfig({ name: "bench", systemDatabaseUrl: process.env.TROUPE_BENCH_STORE, runAdminServer: false, logLevel: "error" });
await DBOS.launch();
await measure("dbos", async (steps) => (await DBOS.startWorkflow(noop)(steps)).getResult());
await DBOS.shutdown();
process.exit(0);
