import { expect, it } from 'vitest';
import { createTestServer } from '../../../testing/test-server.ts';
import { apiservices } from '../../api/generated/resources.ts';
import { publishApiServices } from './api-services.ts';

it('has one APIService for each group and version, available at once', async () => {
  const server = await createTestServer();
  const stop = publishApiServices(server.context);
  await expect
    .poll(() => server.context.reader.get(apiservices, undefined, 'v1.apps'))
    .toMatchObject({
      spec: { group: 'apps', version: 'v1' },
      status: { conditions: [{ type: 'Available', reason: 'Local' }] },
    });
  await expect.poll(() => server.context.reader.get(apiservices, undefined, 'v2.autoscaling')).toBeDefined();
  expect(server.context.reader.get(apiservices, undefined, 'v1.')?.spec).toMatchObject({ version: 'v1' });
  stop();
  await server.close();
});
