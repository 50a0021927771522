// The service that Restate calls: its port is the one argument.
import * as restate from "@restatedev/restate-sdk";

// The SDK asks for Node 22; this is what it lacks in Node 20.
Promise.withResolvers ??= function () {
  let resolve, reject;
  const promise = new Promise((yes, no) => ((resolve = yes), (reject = no)));
  return { promise, resolve, reject };
};

const bench = restate.service({
  name: "bench",
  handlers: {
    noop: async (ctx, { steps }) => {
      for (let i = 0; i < steps; ++i) await ctx.run(`step-${i}`, async () => ({ done: true }));
      return {};
    },
  },
});

restate.serve({ services: [bench], port: Number(process.argv[2]) }).then(() => console.error("service listens"));
