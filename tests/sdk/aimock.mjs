// An upstream we did not write: @copilotkit/aimock on a free loopback port. Prints its URL, ends with stdin.
import { LLMock } from '@copilotkit/aimock';

const mock = new LLMock({ port: 0, host: '127.0.0.1', chunkSize: 7 });
const usage = { prompt_tokens: 321, completion_tokens: 45, input_tokens: 321, output_tokens: 45, total_tokens: 366 };
mock.onMessage('tell me', {
  content: 'The lighthouse keeper counts ships, 7 today – “none lost”.',
  usage,
});
mock.onMessage('look it up', { toolCalls: [{ name: 'look_up', arguments: '{"query":"ships"}' }], usage });
mock.onMessage('throttle me', { error: { message: 'Rate limit reached.', type: 'rate_limit_error', code: 'rate_limit_exceeded' }, status: 429 });
mock.onMessage('fail', { error: { message: 'It broke.', type: 'server_error' }, status: 500 });
mock.onMessage('no capacity', { error: { message: 'Overloaded.', type: 'overloaded_error' }, status: 503 });
mock.onMessage('cut me', { content: 'A long answer that never reaches its end, however long one waits for it.' },
  { truncateAfterChunks: 3, latency: 20 });
await mock.start();
console.log(JSON.stringify({ url: mock.url }));
process.stdin.resume();
process.stdin.on('end', async () => {
  await mock.stop();
  process.exit(0);
});
