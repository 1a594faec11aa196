import { Agent, request } from 'node:http';
import { type Body, type Load, v1Bodies, v2Bodies } from './bodies.ts';

/**
 * A process that makes the bodies of some agents beforehand, then, when told, sends each agent's one after the other
 * over a connection kept alive, all agents at once.
 *
 * `node bench/master/client.ts PROTOCOL LOADS_AS_JSON`
 */
const [protocol, text = '[]'] = process.argv.slice(2);
const loads = JSON.parse(text) as Load[];
const queues = loads.map(protocol === 'v1' ? v1Bodies : v2Bodies);

function post(port: number, agent: Agent, body: Body): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { ...body.headers, 'content-length': body.bytes.length };
    const call = request(
      { port, host: '127.0.0.1', method: 'POST', path: body.path, headers, agent },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const answer = Buffer.concat(chunks).toString();
          const { status, data } = JSON.parse(answer) as {
            status: string;
            data?: { ok?: boolean; rejected?: unknown[] };
          };
          const taken = status === 'success' && data?.ok !== false && (data?.rejected?.length ?? 0) === 0;
          if (taken) resolve();
          else reject(new Error(`the master answered ${response.statusCode} ${answer.slice(0, 500)}`));
        });
      },
    );
    call.on('error', reject);
    call.end(body.bytes);
  });
}

async function send(port: number): Promise<{ count: number; seconds: number; worst: number }> {
  const agents = queues.map(() => new Agent({ keepAlive: true, maxSockets: 1 }));
  let count = 0;
  let worst = 0;
  const begun = performance.now();
  const each = async (queue: Body[], agent: Agent) => {
    for (const body of queue) {
      const at = performance.now();
      await post(port, agent, body);
      worst = Math.max(worst, performance.now() - at);
      count += body.count;
    }
  };
  await Promise.all(queues.map((queue, i) => each(queue, agents[i]!)));
  return { count, seconds: (performance.now() - begun) / 1000, worst };
}

process.on('disconnect', () => process.exit());
process.on('message', async ({ port }: { port: number }) => {
  process.send?.(await send(port));
});
process.send?.({ bytes: queues.flat().reduce((sum, body) => sum + body.bytes.length, 0) });
