import type { FastifyInstance } from 'fastify';

/** The process lives; says nothing of whether it can serve (`/ready` does). */
export function healthRoute(app: FastifyInstance): void {
  app.get('/health', { config: { scope: 'none' } }, (_request, reply) => {
    reply.type('text/plain; charset=utf-8');
    return 'OK';
  });
}
