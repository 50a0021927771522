// @aws-sdk/client-sagemaker-runtime: InvokeEndpoint and its stream, chat and TGI containers.
import assert from 'node:assert/strict';
import {
  InvokeEndpointCommand, InvokeEndpointWithResponseStreamCommand, SageMakerRuntimeClient,
} from '@aws-sdk/client-sagemaker-runtime';
import { base, expect_answer, expect_arguments, expect_error, keys, question, run, tool, with_fault } from './harness.mjs';

function client(endpoint, attempts = 1) {
  return new SageMakerRuntimeClient({
    region: 'us-east-1',
    endpoint: `${base}/${endpoint}`,
    credentials: { accessKeyId: keys.access_key_id, secretAccessKey: keys.secret_access_key },
    maxAttempts: attempts,
  });
}
const chat = (more = {}) => ({
  EndpointName: 'chat',
  ContentType: 'application/json',
  Body: JSON.stringify({ messages: [{ role: 'user', content: question }], max_tokens: 500, ...more }),
});
const generate = (stream) => ({
  EndpointName: 'tgi',
  ContentType: 'application/json',
  Body: JSON.stringify({ inputs: question, parameters: { max_new_tokens: 500 }, stream }),
});

async function invoke(endpoint, input) {
  const answer = await client(endpoint).send(new InvokeEndpointCommand(input));
  return JSON.parse(new TextDecoder().decode(answer.Body));
}
async function streamed(endpoint, input) {
  const answer = await client(endpoint).send(new InvokeEndpointWithResponseStreamCommand(input));
  const decoder = new TextDecoder();
  let sse = '';
  for await (const event of answer.Body) sse += decoder.decode(event.PayloadPart.Bytes, { stream: true });
  return sse.split('\n').filter((line) => line.startsWith('data:')).map((line) => line.slice(5).trim());
}

await run('@aws-sdk/client-sagemaker-runtime', {
  'InvokeEndpoint, chat container': async () => {
    const body = await invoke('sagemaker', chat());
    expect_answer(body.choices[0].message.content);
    assert.equal(body.choices[0].finish_reason, 'stop');
  },
  'InvokeEndpoint with a forced tool': async () => {
    const body = await invoke('sagemaker', chat({
      tools: [{ type: 'function', function: { name: tool.name, parameters: tool.schema } }],
      tool_choice: { type: 'function', function: { name: tool.name } },
    }));
    expect_arguments(body.choices[0].message.tool_calls[0].function.arguments);
  },
  'InvokeEndpointWithResponseStream, chat container': async () => {
    const events = await streamed('sagemaker', chat({ stream: true, stream_options: { include_usage: true } }));
    assert.equal(events.at(-1), '[DONE]');
    const chunks = events.slice(0, -1).map((data) => JSON.parse(data));
    expect_answer(chunks.map((chunk) => chunk.choices[0]?.delta?.content ?? '').join(''));
    assert.ok(chunks.at(-1).usage.completion_tokens > 0);
  },
  'InvokeEndpoint, TGI container': async () => {
    expect_answer((await invoke('sagemaker-tgi', generate(false)))[0].generated_text);
  },
  'InvokeEndpointWithResponseStream, TGI container': async () => {
    const events = (await streamed('sagemaker-tgi', generate(true))).map((data) => JSON.parse(data));
    expect_answer(events.map((event) => event.token.text).join(''));
    assert.ok(events.at(-1).generated_text.length > 0);
  },
  'throttled: 400, told by its type': () => with_fault('sagemaker', { kind: 'throttle' }, () =>
    expect_error(() => invoke('sagemaker', chat()), (error) => {
      assert.equal(error.name, 'ThrottlingException');
      assert.equal(error.$metadata.httpStatusCode, 400);
    })),
  'model error: 424 with the original status': () => with_fault('sagemaker', { kind: 'model_error' }, () =>
    expect_error(() => invoke('sagemaker', chat()), (error) => {
      assert.equal(error.name, 'ModelError');
      assert.equal(error.$metadata.httpStatusCode, 424);
      assert.equal(error.OriginalStatusCode, 500);
    })),
  'cut stream': () => with_fault('sagemaker', { kind: 'cut' }, () =>
    expect_error(() => streamed('sagemaker', chat({ stream: true })))),
  // The service's own in-stream exceptions are two; everything else is the container's word, in its payload.
  'an error of the container inside the stream': () => with_fault('sagemaker', { kind: 'in_stream_error' }, async () => {
    const events = await streamed('sagemaker', chat({ stream: true }));
    assert.ok(JSON.parse(events.at(-1)).error.message.length > 0);
  }),
});
