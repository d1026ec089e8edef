import { describe, expect, it } from 'vitest';
import { allResources } from '../api/generated/resources.ts';
import type { KubeObject } from '../api/resource.ts';
import { seededRandom } from '../base/random.ts';
import { virtualClock } from '../base/virtual-clock.ts';
import { builtinKinds } from './catalogue.ts';
import type { Draft } from './kind.ts';

const context = {
  clock: virtualClock(),
  random: seededRandom(1),
  user: { name: 'alice', groups: ['dev'] },
  warn: () => undefined,
};

describe('the catalogue', () => {
  it('has one definition for each resource', () => {
    const key = (it: { group: string; version: string; plural: string }) => `${it.group}/${it.version}/${it.plural}`;
    expect(builtinKinds().map((it) => key(it.resource))).toEqual(allResources.map(key));
  });

  it.each(
    builtinKinds().map(
      (kind) => [`${kind.resource.group}/${kind.resource.version} ${kind.resource.kind}`, kind] as const,
    ),
  )('%s bears an object with nothing in it', (_, kind) => {
    const draft = (): Draft => ({
      apiVersion: 'x',
      kind: kind.resource.kind,
      metadata: { name: 'a', ...(kind.resource.namespaced && { namespace: 'default' }) },
    });
    const once = draft();
    kind.defaults?.(once);
    const twice = structuredClone(once);
    kind.defaults?.(twice);
    expect(twice).toEqual(once);
    kind.prepareForCreate?.(once, context);
    const object = once as KubeObject;
    kind.validate?.(object);
    kind.validateUpdate?.(object, object);
    kind.warnings?.(object, undefined);
    for (const column of kind.columns) expect(column.cell(object, 0)).not.toBe(undefined);
    for (const field of Object.values(kind.selectableFields ?? {})) expect(typeof field(object)).toBe('string');
    expect(kind.columns[0]?.name === 'Name' || kind.resource.kind === 'Event').toBe(true);
    expect(kind.schema().type).toBe('object');
    const next = structuredClone(once);
    kind.prepareForUpdate?.(next, object, context);
    expect(next).toEqual(once);
  });
});
