// @aws-sdk/client-bedrock-runtime: Converse, ConverseStream and InvokeModel, signed, over HTTP/2 and HTTP/1.1.
import assert from 'node:assert/strict';
import {
  BedrockRuntimeClient, ConverseCommand, ConverseStreamCommand, InvokeModelCommand,
  InvokeModelWithResponseStreamCommand,
} from '@aws-sdk/client-bedrock-runtime';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { base, expect_answer, expect_arguments, expect_error, keys, question, run, tool, with_fault } from './harness.mjs';

const modelId = 'us.anthropic.claude-sonnet-4-20250514-v1:0';

function client(endpoint, { http1 = false, secret = keys.secret_access_key, attempts = 1 } = {}) {
  return new BedrockRuntimeClient({
    region: 'us-east-1',
    endpoint: `${base}/${endpoint}`,
    credentials: { accessKeyId: keys.access_key_id, secretAccessKey: secret },
    maxAttempts: attempts,
    ...(http1 ? { requestHandler: new NodeHttpHandler() } : {}),
  });
}

const converse = {
  modelId,
  system: [{ text: 'Be brief.' }],
  messages: [{ role: 'user', content: [{ text: question }] }],
  inferenceConfig: { maxTokens: 500 },
};
const with_tools = {
  ...converse,
  toolConfig: {
    tools: [{ toolSpec: { name: tool.name, description: tool.description, inputSchema: { json: tool.schema } } }],
    toolChoice: { tool: { name: tool.name } },
  },
};
const claude = {
  modelId,
  contentType: 'application/json',
  body: JSON.stringify({
    anthropic_version: 'bedrock-2023-05-31',
    max_tokens: 500,
    messages: [{ role: 'user', content: question }],
  }),
};

async function streamed(from, input) {
  const seen = { text: '', tool_input: '', stop: null, usage: null };
  const answer = await from.send(new ConverseStreamCommand(input));
  for await (const event of answer.stream) {
    seen.text += event.contentBlockDelta?.delta?.text ?? '';
    seen.tool_input += event.contentBlockDelta?.delta?.toolUse?.input ?? '';
    seen.stop = event.messageStop?.stopReason ?? seen.stop;
    seen.usage = event.metadata?.usage ?? seen.usage;
  }
  return seen;
}

async function invoked_stream(from) {
  let text = '';
  const types = [];
  const answer = await from.send(new InvokeModelWithResponseStreamCommand(claude));
  for await (const event of answer.body) {
    const part = JSON.parse(new TextDecoder().decode(event.chunk.bytes));
    types.push(part.type);
    text += part.delta?.text ?? '';
  }
  return { text, types };
}

const cases = {};
for (const http1 of [false, true]) {
  const wire = http1 ? 'HTTP/1.1' : 'HTTP/2';
  cases[`Converse over ${wire}`] = async () => {
    const answer = await client('bedrock', { http1 }).send(new ConverseCommand(converse));
    expect_answer(answer.output.message.content[0].text);
    assert.equal(answer.stopReason, 'end_turn');
    assert.ok(answer.usage.inputTokens > 10 && answer.usage.totalTokens > answer.usage.inputTokens);
  };
  cases[`ConverseStream over ${wire}`] = async () => {
    const seen = await streamed(client('bedrock', { http1 }), converse);
    expect_answer(seen.text);
    assert.equal(seen.stop, 'end_turn');
    assert.ok(seen.usage.outputTokens > 0);
  };
  cases[`cut ConverseStream over ${wire}`] = () => with_fault('bedrock', { kind: 'cut' }, () =>
    expect_error(() => streamed(client('bedrock', { http1 }), converse)));
}
Object.assign(cases, {
  'Converse with a forced tool': async () => {
    const answer = await client('bedrock').send(new ConverseCommand(with_tools));
    assert.equal(answer.stopReason, 'tool_use');
    expect_arguments(answer.output.message.content[0].toolUse.input);
  },
  'ConverseStream with a forced tool': async () => {
    const seen = await streamed(client('bedrock'), with_tools);
    assert.equal(seen.stop, 'tool_use');
    expect_arguments(seen.tool_input);
  },
  'throttled Converse': () => with_fault('bedrock', { kind: 'throttle' }, () =>
    expect_error(() => client('bedrock').send(new ConverseCommand(converse)), (error) => {
      assert.equal(error.name, 'ThrottlingException');
      assert.equal(error.$metadata.httpStatusCode, 429);
    })),
  'throttled once, retried by the SDK': () => with_fault('bedrock', { kind: 'throttle', share: 0.5 }, async () => {
    const answer = await client('bedrock', { attempts: 9 }).send(new ConverseCommand(converse));
    expect_answer(answer.output.message.content[0].text);
  }),
  'model error': () => with_fault('bedrock', { kind: 'model_error' }, () =>
    expect_error(() => client('bedrock').send(new ConverseCommand(converse)), (error) => {
      assert.equal(error.name, 'ModelErrorException');
      assert.equal(error.$metadata.httpStatusCode, 424);
    })),
  'an exception inside the stream': () => with_fault('bedrock', { kind: 'in_stream_error' }, () =>
    expect_error(() => streamed(client('bedrock'), converse), (error) => {
      assert.match(error.name, /ServiceUnavailableException/i);
    })),
  'a garbage frame': () => with_fault('bedrock', { kind: 'malformed' }, () =>
    expect_error(() => streamed(client('bedrock'), converse))),
  'a wrong secret is refused with 403': () =>
    expect_error(() => client('bedrock', { secret: 'wrong' }).send(new ConverseCommand(converse)), (error) => {
      assert.equal(error.$metadata.httpStatusCode, 403);
    }),
  'InvokeModel with an Anthropic body': async () => {
    const answer = await client('invoke').send(new InvokeModelCommand(claude));
    const body = JSON.parse(new TextDecoder().decode(answer.body));
    expect_answer(body.content[0].text);
    assert.equal(body.stop_reason, 'end_turn');
  },
  'InvokeModelWithResponseStream': async () => {
    const { text, types } = await invoked_stream(client('invoke'));
    expect_answer(text);
    assert.equal(types[0], 'message_start');
    assert.equal(types.at(-1), 'message_stop');
  },
  'cut InvokeModelWithResponseStream': () => with_fault('invoke', { kind: 'cut' }, () =>
    expect_error(() => invoked_stream(client('invoke')))),
});
await run('@aws-sdk/client-bedrock-runtime', cases);
