import { describe, expect, test } from 'vitest';
import { configmaps, pods, secrets } from '../../api/generated/resources.ts';
import type { KubeObject, ObjectList, Resource } from '../../api/resource.ts';
import { statusError } from '../../api/status.ts';
import type { Client, ListOptions } from '../../client/client.ts';
import { crashingPod } from '../rules/example-pods.ts';
import { collectSnapshot } from './collect.ts';
import { exampleObjects } from './from-yaml.ts';

/** A server that holds these objects, pages as it is asked to, and denies some kinds. */
function server(objects: readonly KubeObject[], denied: readonly string[] = []) {
  const asked: string[] = [];
  const list = async (resource: Resource, { limit = 500, namespace, continue: from = '0' }: ListOptions = {}) => {
    asked.push(`${resource.plural}${namespace ? `@${namespace}` : ''}`);
    const place = namespace ? `${resource.plural}@${namespace}` : resource.plural;
    if (denied.includes(place)) throw statusError(403, 'Forbidden', `${resource.plural} is forbidden`);
    const all = objects.filter(
      (it) => it.kind === resource.kind && (!namespace || it.metadata?.namespace === namespace),
    );
    const end = Number(from) + limit;
    return {
      metadata: end < all.length ? { continue: String(end) } : {},
      items: all.slice(Number(from), end),
    } as ObjectList;
  };
  return { client: { list } as unknown as Client, asked };
}

const options = { namespace: 'shop', now: Date.parse('2026-01-01T12:00:00Z') };

describe('the picture of a cluster', () => {
  test('is read in pages', async () => {
    const many = Array.from({ length: 1201 }, (_, i) => ({ kind: 'Pod', metadata: { name: `p${i}`, namespace: 'a' } }));
    const { client, asked } = server(many);
    const snapshot = await collectSnapshot({ ...options, client });
    expect(snapshot.all(pods)).toHaveLength(1201);
    expect(asked.filter((it) => it === 'pods')).toHaveLength(3);
  });

  test('holds no value of a Secret', async () => {
    const secret = {
      kind: 'Secret',
      metadata: { name: 'db', namespace: 'shop' },
      data: { password: Buffer.from('hunter2\n').toString('base64') },
    };
    const snapshot = await collectSnapshot({ ...options, client: server([secret]).client });
    expect(snapshot.secret('shop', 'db')?.keys).toEqual([
      { name: 'password', bytes: 8, endsInNewline: true, encodedTwice: false },
    ]);
    expect(JSON.stringify(snapshot.secrets('shop'))).not.toContain('hunter2');
    expect(snapshot.all(secrets)).toEqual([]);
  });

  test('falls back to the namespace where the cluster is denied, and says so', async () => {
    const map = (namespace: string) => ({ kind: 'ConfigMap', metadata: { name: 'a', namespace } });
    const { client } = server([map('shop'), map('other')], ['configmaps', 'secrets', 'secrets@shop']);
    const snapshot = await collectSnapshot({ ...options, client });
    expect(snapshot.all(configmaps)).toHaveLength(1);
    expect(snapshot.lacks(configmaps, 'b', 'shop')).toBe(true);
    expect(snapshot.lacks(configmaps, 'a', 'other')).toBe(false);
    expect(snapshot.lacks(secrets, 'x', 'shop')).toBe(false);
    expect(snapshot.unseen.map((it) => it.what)).toEqual(['configmaps outside namespace shop', 'secrets']);
  });

  test('has the log of one of many pods that fail alike', async () => {
    const [one] = exampleObjects(crashingPod({ exit: 1, owner: 'StatefulSet/web' })).objects;
    const alike = ['web-0', 'web-1', 'web-2'].map((name) => ({ ...one, metadata: { ...one?.metadata, name } }));
    const read: string[] = [];
    const snapshot = await collectSnapshot({
      ...options,
      client: server(alike).client,
      logs: async ({ pod }) => {
        read.push(pod);
        return 'boom\n';
      },
    });
    expect(read).toEqual(['web-0']);
    const [log] = snapshot.logs(snapshot.pods[2]!, 'app');
    expect(log).toMatchObject({ text: 'boom\n', previous: true, sampledFrom: { name: 'web-0' } });
  });
});
