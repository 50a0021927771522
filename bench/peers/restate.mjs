// The shapes on Restate, through its ingress: arguments are the URLs of admin, ingress and service.
import http from "node:http";
import { measure } from "./loop.mjs";

const [admin, ingress, service] = process.argv.slice(2);
const agent = new http.Agent({ keepAlive: true, maxSockets: 1000 });

function post(url, body) {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method: "POST", agent, headers: { "content-type": "application/json" } }, (answer) => {
      let text = "";
      answer.on("data", (chunk) => (text += chunk));
      answer.on("end", () => (answer.statusCode < 300 ? resolve(text) : reject(new Error(`${answer.statusCode}: ${text}`))));
    });
    request.on("error", reject);
    request.end(JSON.stringify(body));
  });
}

await post(`${admin}/deployments`, { uri: service, force: true });
await measure("restate", (steps) => post(`${ingress}/bench/noop`, { steps }));
process.exit(0);
