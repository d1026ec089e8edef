import { expect, it } from 'vitest';
import { createTestServer } from '../../../testing/test-server.ts';
import { configmaps } from '../../api/generated/resources.ts';
import { memoryStore } from '../../store/memory/memory-store.ts';
import { StoreUnavailableError } from '../../store/store.ts';

it('a store that takes no writes is told as 503, reads go on, and writes again when it does', async () => {
  const store = memoryStore();
  let full = false;
  const server = await createTestServer({
    store: {
      ...store,
      commit: (transaction) =>
        full ? Promise.reject(new StoreUnavailableError('no space left on the disk')) : store.commit(transaction),
    },
  });
  const made = (name: string) => server.create(configmaps, { metadata: { name, namespace: 'default' } });
  await made('a');
  full = true;
  await expect(made('b')).rejects.toMatchObject({
    status: {
      code: 503,
      reason: 'ServiceUnavailable',
      message: 'the store is not available: no space left on the disk',
    },
  });
  expect((await server.get(configmaps, 'default', 'a')).metadata.name).toBe('a');
  full = false;
  expect((await made('b')).metadata.name).toBe('b');
  await server.close();
});
