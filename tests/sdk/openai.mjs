// openai: chat completions, Responses, and the Azure client.
import assert from 'node:assert/strict';
import OpenAI, { AzureOpenAI } from 'openai';
import { base, expect_answer, expect_arguments, expect_error, keys, question, run, tool, with_fault } from './harness.mjs';

const make = (endpoint, retries = 0) => new OpenAI({
  apiKey: keys.api_key, baseURL: `${base}/${endpoint}/v1`, maxRetries: retries,
});
const azure = () => new AzureOpenAI({
  apiKey: keys.api_key, endpoint: `${base}/azure`, apiVersion: '2024-10-21', deployment: 'gpt', maxRetries: 0,
});
const chat = { model: 'gpt-5', max_completion_tokens: 500, messages: [{ role: 'user', content: question }] };
const chat_tools = {
  ...chat,
  tools: [{ type: 'function', function: { name: tool.name, description: tool.description, parameters: tool.schema } }],
  tool_choice: { type: 'function', function: { name: tool.name } },
};
const responses = { model: 'gpt-5', max_output_tokens: 500, input: question };
const responses_tools = {
  ...responses,
  tools: [{ type: 'function', name: tool.name, description: tool.description, parameters: tool.schema, strict: false }],
  tool_choice: { type: 'function', name: tool.name },
};

async function chat_stream(client, request) {
  let text = '', usage = null, finish = null;
  const stream = await client.chat.completions.create({ ...request, stream: true, stream_options: { include_usage: true } });
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta?.content ?? '';
    finish = chunk.choices[0]?.finish_reason ?? finish;
    usage = chunk.usage ?? usage;
  }
  return { text, usage, finish };
}
const call_of = (response) => response.output.find((item) => item.type === 'function_call');

const cases = {};
for (const [name, endpoint, client] of [['chat', 'openai', () => make('openai')], ['Azure chat', 'azure', azure]]) {
  Object.assign(cases, {
    [`${name}: completion`]: async () => {
      const answer = await client().chat.completions.create(chat);
      expect_answer(answer.choices[0].message.content);
      assert.equal(answer.choices[0].finish_reason, 'stop');
    },
    [`${name}: forced tool`]: async () => {
      const answer = await client().chat.completions.create(chat_tools);
      expect_arguments(answer.choices[0].message.tool_calls[0].function.arguments);
    },
    [`${name}: streamed`]: async () => {
      const { text, usage, finish } = await chat_stream(client(), chat);
      expect_answer(text);
      assert.equal(finish, 'stop');
      assert.ok(usage.completion_tokens > 0);
    },
    [`${name}: streamed tool through the helper`]: async () => {
      const answer = await client().chat.completions.stream(chat_tools).finalChatCompletion();
      expect_arguments(answer.choices[0].message.tool_calls[0].function.arguments);
    },
    [`${name}: throttled`]: () => with_fault(endpoint, { kind: 'throttle', retry_after_s: 2 }, () =>
      expect_error(() => client().chat.completions.create(chat), (error) => {
        assert.equal(error.status, 429);
        assert.equal(error.headers.get('retry-after'), '2');
      })),
    [`${name}: cut stream`]: () => with_fault(endpoint, { kind: 'cut' }, () =>
      expect_error(() => chat_stream(client(), chat))),
    [`${name}: error inside the stream`]: () => with_fault(endpoint, { kind: 'in_stream_error' }, () =>
      expect_error(() => chat_stream(client(), chat))),
  });
}
Object.assign(cases, {
  'chat: retried by the SDK after a throttle': () => with_fault('openai', { kind: 'throttle', share: 0.5 }, async () => {
    const answer = await make('openai', 9).chat.completions.create(chat);
    expect_answer(answer.choices[0].message.content);
  }),
  'chat: a wrong key is refused': () => expect_error(
    () => new OpenAI({ apiKey: 'wrong', baseURL: `${base}/openai/v1`, maxRetries: 0 }).chat.completions.create(chat),
    (error) => assert.equal(error.status, 401)),
  'chat: JSON schema': async () => {
    const schema = { type: 'object', properties: { points: { type: 'array', items: { type: 'object', properties: { text: { type: 'string' } } } } } };
    const answer = await make('openai').chat.completions.create({
      ...chat, response_format: { type: 'json_schema', json_schema: { name: 'points', schema, strict: true } },
    });
    assert.ok(JSON.parse(answer.choices[0].message.content).points.length > 0);
  },
  'Responses: response': async () => {
    const response = await make('responses').responses.create(responses);
    expect_answer(response.output_text);
    assert.equal(response.status, 'completed');
    assert.ok(response.usage.output_tokens > 0);
  },
  'Responses: forced tool': async () => {
    expect_arguments(call_of(await make('responses').responses.create(responses_tools)).arguments);
  },
  'Responses: streamed through the helper': async () => {
    const response = await make('responses').responses.stream(responses).finalResponse();
    expect_answer(response.output_text);
  },
  'Responses: streamed tool': async () => {
    expect_arguments(call_of(await make('responses').responses.stream(responses_tools).finalResponse()).arguments);
  },
  'Responses: throttled': () => with_fault('responses', { kind: 'throttle' }, () =>
    expect_error(() => make('responses').responses.create(responses), (error) => assert.equal(error.status, 429))),
  'Responses: cut stream': () => with_fault('responses', { kind: 'cut' }, () =>
    expect_error(() => make('responses').responses.stream(responses).finalResponse())),
});
await run('openai', cases);
