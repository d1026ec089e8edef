import type { DnsPlugin } from '../chain.ts';

/** Logs every query with its outcome. */
export const logPlugin: DnsPlugin = {
  name: 'log',
  setup:
    async (_directive, { log }) =>
    (next) =>
    async (request) => {
      const reply = await next(request);
      log.info('query', { client: request.client, type: request.type, name: request.name, rcode: reply.rcode });
      return reply;
    },
};
