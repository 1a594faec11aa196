import type { TObject } from '@sinclair/typebox';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { SyncPackage } from '../../../protocol/v1.ts';
import { SyncRequest } from '../../../protocol/v2.ts';
import type { Delivery, Ingest } from '../../ingest/ingest.ts';
import { SyncV1Answer, SyncV2Answer } from '../answers/sync.ts';
import type { Returns } from '../contract.ts';
import { success } from '../envelope.ts';
import { checkCharset, isGzip, type SyncBody, useSyncBodies } from '../sync-body.ts';
import type { SyncSlots } from '../sync-slots.ts';

/** What the original says to a successful sync; its agents and scripts may compare it. */
const ORIGINAL_MESSAGE = '数据同步成功';

const ERRORS = [
  'agent_id_bound',
  'agent_id_reserved',
  'too_many_agents',
  'too_many_journals',
  'busy',
] as const;

function delivery(summary: string, body: TObject, returns: Returns) {
  return { config: { scope: 'agent', contract: { summary, body, returns, errors: ERRORS } } } as const;
}

/** `POST /api/v1/sync` and `POST /api/v2/sync`: bodies are collected, and never parsed here. */
export function syncRoutes(app: FastifyInstance, ingest: Pick<Ingest, 'v1' | 'v2'>, slots: SyncSlots): void {
  useSyncBodies(app);
  app.decorateRequest('syncHold');
  app.addHook('onRequest', (request, reply, done) => {
    isGzip(request.headers['content-encoding']);
    checkCharset(request.headers['content-type']);
    const hold = slots.enter();
    request.syncHold = hold;
    reply.raw.once('close', () => hold.answered());
    done();
  });
  app.addHook('onResponse', (request, _reply, done) => {
    // Where it was refused before, it holds nothing.
    request.syncHold?.answered();
    done();
  });

  const v1 = delivery("Deliver by the original's wire", SyncPackage, SyncV1Answer);
  app.post('/api/v1/sync', v1, async (request) => {
    const { count } = await holding(request, (delivery) => ingest.v1(delivery));
    return success({ message: ORIGINAL_MESSAGE, count });
  });
  const v2 = delivery('Deliver rows with a table of texts', SyncRequest, SyncV2Answer);
  app.post('/api/v2/sync', v2, async (request) => {
    return success(await holding(request, (delivery) => ingest.v2(delivery)));
  });
}

function holding<T>(request: FastifyRequest, deliver: (delivery: Delivery) => Promise<T>): Promise<T> {
  const { body, gzip } = request.body as SyncBody;
  return request.syncHold.during(() => deliver({ body, gzip, boundAgent: request.grant.boundAgent }));
}
