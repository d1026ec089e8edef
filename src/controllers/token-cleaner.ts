import { secrets } from '../api/generated/resources.ts';
import { hasReason } from '../api/status.ts';
import { keyOf } from '../client/informer.ts';
import { type Controller, watched } from '../controller/controller.ts';
import { mayRecord, rule } from './support/access.ts';

/** Deletes bootstrap tokens that have expired. Upstream: pkg/controller/bootstrap/tokencleaner.go. */
export const tokenCleaner: Controller = {
  name: 'token-cleaner',
  watches: [
    watched({
      resource: secrets,
      keys: (secret, { gone }) =>
        !gone && secret.metadata.namespace === 'kube-system' && secret.type === 'bootstrap.kubernetes.io/token'
          ? [keyOf(secret)]
          : [],
    }),
  ],
  access: [rule('', 'secrets', 'get list watch delete'), ...mayRecord],
  async reconcile(key, context) {
    const secret = context.informers.informer(secrets).get(key);
    const text = Buffer.from(secret?.data?.['expiration'] ?? '', 'base64').toString('utf8');
    if (!secret || text === '') return undefined;
    const at = Date.parse(text);
    // What cannot be read counts as expired.
    const left = Number.isNaN(at) ? 0 : at - context.clock.now();
    if (left > 0) return { again: left };
    const { name, namespace = '', uid } = secret.metadata;
    try {
      await context.client.delete(secrets, name, { namespace, preconditions: { uid } });
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error;
    }
    return undefined;
  },
};
