import { describe, expect, it } from 'vitest';
import type { V1Ingress } from '../../api/generated/types.ts';
import { isPrefix, routeTable } from './routes.ts';

const backend = (name: string) => ({ service: { name, port: { number: 80 } } });
const path = (text: string, name: string, pathType = 'Prefix') => ({ path: text, pathType, backend: backend(name) });
const ingress = (name: string, spec: V1Ingress['spec'], at = '2026-01-01T00:00:00Z'): V1Ingress => ({
  metadata: { name, namespace: 'shop', creationTimestamp: at },
  ...(spec && { spec }),
});
const table = routeTable([
  ingress('young', { rules: [{ host: 'a.test', http: { paths: [path('/', 'young')] } }] }, '2026-02-01T00:00:00Z'),
  ingress('main', {
    defaultBackend: backend('fallback'),
    tls: [{ hosts: ['a.test', '*.b.test'], secretName: 'cert' }],
    rules: [
      { host: 'a.test', http: { paths: [path('/', 'root'), path('/api', 'api'), path('/api', 'exact', 'Exact')] } },
      { host: '*.b.test', http: { paths: [path('/', 'wild')] } },
      { http: { paths: [path('/any', 'any', 'ImplementationSpecific')] } },
    ],
  }),
]);

describe('Ingress rules', () => {
  it.each([
    ['a.test', '/', 'root'],
    ['A.TEST', '/x', 'root'],
    ['a.test', '/api', 'exact'],
    ['a.test', '/api/v1', 'api'],
    ['a.test', '/apis', 'root'],
    ['one.b.test', '/', 'wild'],
    ['two.one.b.test', '/', 'fallback'],
    ['b.test', '/any/thing', 'any'],
    ['other', '/', 'fallback'],
  ])('%s%s goes to %s', (host, at, service) => {
    expect(table.match(host, at)?.service).toBe(service);
  });
  it('say nothing where nobody asked for it', () => {
    expect(routeTable([]).match('a.test', '/')).toBeUndefined();
    expect([table.secretFor('a.test'), table.secretFor('x.b.test'), table.secretFor('c.test')]).toEqual([
      'shop/cert',
      'shop/cert',
      undefined,
    ]);
  });
  it.each([
    ['/', '/x', true],
    ['/foo/', '/foo', true],
    ['/foo', '/foo/', true],
    ['/aaa/bb', '/aaa/bbb', false],
    ['/aaa/bbb/', '/aaa/bbb/ccc', true],
  ])('%s is a prefix of %s: %s', (rule, at, wanted) => {
    expect(isPrefix(rule, at)).toBe(wanted);
  });
});
