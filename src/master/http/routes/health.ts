import { Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';

/** The process lives; says nothing of whether it can serve (`/ready` does). */
export function healthRoute(app: FastifyInstance): void {
  const contract = {
    summary: 'The process lives',
    returns: { 'text/plain': Type.Literal('OK') },
  };
  app.get('/health', { config: { scope: 'none', contract } }, (_request, reply) => {
    reply.type('text/plain; charset=utf-8');
    return 'OK';
  });
}
