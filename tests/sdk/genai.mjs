// @google/genai in Vertex mode. Its token comes from the simulated metadata server (GCE_METADATA_HOST).
import assert from 'node:assert/strict';
import { FunctionCallingConfigMode, GoogleGenAI } from '@google/genai';
import { base, expect_answer, expect_arguments, expect_error, question, run, tool, with_fault } from './harness.mjs';

const make = () => new GoogleGenAI({
  vertexai: true, project: 'sim-project', location: 'us-central1', httpOptions: { baseUrl: `${base}/gemini` },
});
const request = { model: 'gemini-2.5-flash', contents: question, config: { maxOutputTokens: 500 } };
const with_tools = {
  ...request,
  config: {
    tools: [{ functionDeclarations: [{ name: tool.name, description: tool.description, parametersJsonSchema: tool.schema }] }],
    toolConfig: { functionCallingConfig: { mode: FunctionCallingConfigMode.ANY, allowedFunctionNames: [tool.name] } },
  },
};

async function streamed(input) {
  const seen = { text: '', finish: null, usage: null, calls: [] };
  for await (const chunk of await make().models.generateContentStream(input)) {
    seen.text += chunk.text ?? '';
    seen.calls.push(...(chunk.functionCalls ?? []));
    seen.finish = chunk.candidates?.[0]?.finishReason ?? seen.finish;
    seen.usage = chunk.usageMetadata ?? seen.usage;
  }
  return seen;
}

await run('@google/genai', {
  'generateContent': async () => {
    const answer = await make().models.generateContent(request);
    expect_answer(answer.text);
    assert.equal(answer.candidates[0].finishReason, 'STOP');
    assert.ok(answer.usageMetadata.totalTokenCount > answer.usageMetadata.promptTokenCount);
  },
  'generateContent with a forced function': async () => {
    const answer = await make().models.generateContent(with_tools);
    expect_arguments(answer.functionCalls[0].args);
  },
  'generateContentStream': async () => {
    const seen = await streamed(request);
    expect_answer(seen.text);
    assert.equal(seen.finish, 'STOP');
    assert.ok(seen.usage.candidatesTokenCount > 0);
  },
  'generateContentStream with a forced function': async () => {
    const seen = await streamed(with_tools);
    expect_arguments(seen.calls[0].args);
  },
  'JSON schema': async () => {
    const answer = await make().models.generateContent({
      ...request,
      config: {
        responseMimeType: 'application/json',
        responseJsonSchema: { type: 'object', properties: { text: { type: 'string' } } },
      },
    });
    assert.ok(JSON.parse(answer.text).text.length > 0);
  },
  'throttled': () => with_fault('gemini', { kind: 'throttle' }, () =>
    expect_error(() => make().models.generateContent(request), (error) => assert.equal(error.status, 429))),
  'cut stream': () => with_fault('gemini', { kind: 'cut' }, () => expect_error(() => streamed(request))),
  'error inside the stream': () => with_fault('gemini', { kind: 'in_stream_error' }, () =>
    expect_error(() => streamed(request))),
});
