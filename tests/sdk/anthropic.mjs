// @anthropic-ai/sdk in both live versions, and its Bedrock and Vertex variants.
import assert from 'node:assert/strict';
import Anthropic from '@anthropic-ai/sdk';
import AnthropicV0 from 'anthropic-v0';
import { AnthropicBedrock } from '@anthropic-ai/bedrock-sdk';
import { AnthropicVertex } from '@anthropic-ai/vertex-sdk';
import { base, expect_answer, expect_arguments, expect_error, keys, question, run, tool, with_fault } from './harness.mjs';

const vertex_url = `${base}/vertex-claude/v1`;
const clients = {
  'version 2026-10-21': ['anthropic', () => new Anthropic({ apiKey: keys.api_key, baseURL: `${base}/anthropic`, maxRetries: 0 })],
  'version 2023-06-01': ['anthropic', () => new AnthropicV0({ apiKey: keys.api_key, baseURL: `${base}/anthropic`, maxRetries: 0 })],
  'on Bedrock': ['invoke', () => new AnthropicBedrock({
    awsRegion: 'us-east-1', awsAccessKey: keys.access_key_id, awsSecretKey: keys.secret_access_key,
    baseURL: `${base}/invoke`, maxRetries: 0,
  })],
  'on Vertex': ['vertex-claude', () => new AnthropicVertex({
    projectId: 'sim-project', region: 'us-east5', baseURL: vertex_url, accessToken: keys.api_key, maxRetries: 0,
  })],
};
const models = {
  'on Bedrock': 'us.anthropic.claude-sonnet-4-20250514-v1:0',
  'on Vertex': 'claude-sonnet-4@20250514',
};

const cases = {};
for (const [name, [endpoint, make]] of Object.entries(clients)) {
  const request = {
    model: models[name] ?? 'claude-sonnet-4-5',
    max_tokens: 500,
    system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }],
    messages: [{ role: 'user', content: question }],
  };
  const with_tools = {
    ...request,
    tools: [{ name: tool.name, description: tool.description, input_schema: tool.schema }],
    tool_choice: { type: 'tool', name: tool.name },
  };
  const cut = (work) => with_fault(endpoint, { kind: 'cut' }, () => expect_error(work));
  Object.assign(cases, {
    [`${name}: message`]: async () => {
      const message = await make().messages.create(request);
      expect_answer(message.content[0].text);
      assert.equal(message.stop_reason, 'end_turn');
      assert.ok(message.usage.output_tokens > 0);
    },
    [`${name}: forced tool`]: async () => {
      const message = await make().messages.create(with_tools);
      assert.equal(message.stop_reason, 'tool_use');
      expect_arguments(message.content.find((block) => block.type === 'tool_use').input);
    },
    [`${name}: stream helper`]: async () => {
      const message = await make().messages.stream(request).finalMessage();
      expect_answer(message.content[0].text);
      assert.ok(message.usage.output_tokens > 0);
    },
    [`${name}: streamed tool`]: async () => {
      const message = await make().messages.stream(with_tools).finalMessage();
      expect_arguments(message.content.find((block) => block.type === 'tool_use').input);
    },
    [`${name}: throttled`]: () => with_fault(endpoint, { kind: 'throttle' }, () =>
      expect_error(() => make().messages.create(request), (error) => assert.equal(error.status, 429))),
    [`${name}: cut stream`]: () => cut(() => make().messages.stream(request).finalMessage()),
    [`${name}: truncated stream`]: () => with_fault(endpoint, { kind: 'truncated' }, () =>
      expect_error(() => make().messages.stream(request).finalMessage())),
  });
}
cases['version 2023-06-01: reasoning with its signature'] = async () => {
  const message = await clients['version 2023-06-01'][1]().messages.stream({
    model: 'claude-sonnet-4-5', max_tokens: 4000, thinking: { type: 'enabled', budget_tokens: 1024 },
    messages: [{ role: 'user', content: question }],
  }).finalMessage();
  assert.equal(message.content[0].type, 'thinking');
  assert.ok(message.content[0].signature.length > 0);
};
cases['overloaded is 529'] = () => with_fault('anthropic', { kind: 'unavailable' }, () =>
  expect_error(() => clients['version 2026-10-21'][1]().messages.create({
    model: 'm', max_tokens: 10, messages: [{ role: 'user', content: 'x' }],
  }), (error) => assert.equal(error.status, 529)));
await run('@anthropic-ai/sdk', cases);
