import { describe, expect, test } from 'vitest';
import { containerScript, imageByAnnotation, quietScript } from './script-annotations.ts';

const of = (settings: Record<string, string>, name = 'app') =>
  containerScript(
    Object.fromEntries(Object.entries(settings).map(([key, value]) => [`sim.coracle.dev/${key}`, value])),
    name,
  );

describe('annotations that script a container', () => {
  test.each([
    [{ 'exit-code': '3' }, { exitCode: 3, exitAfterMs: 0 }],
    [
      { 'exit-after': '1.5m', 'exit-code': '2' },
      { exitCode: 2, exitAfterMs: 90_000 },
    ],
    [
      { 'app.exit-code': '7', 'exit-code': '1' },
      { exitCode: 7, exitAfterMs: 0 },
    ],
    [
      { log: 'a\nb\n', 'log-every': '5s tick tock' },
      { log: ['a', 'b'], logEvery: { ms: 5000, line: 'tick tock' } },
    ],
    [
      { listen: 'http:8080/healthz=503@2s, tcp:5432' },
      {
        ports: [
          { protocol: 'http', port: 8080, path: '/healthz', status: 503, latencyMs: 2000 },
          { protocol: 'tcp', port: 5432, path: '/', status: 200, latencyMs: 0 },
        ],
      },
    ],
    [
      { memory: '64Mi', 'memory-growth': '10Mi/s', cpu: '500m' },
      { memoryBytes: 64 << 20, memoryGrowth: 10 << 20, cpu: 0.5 },
    ],
    [{ 'ignore-term': 'true' }, { stopAfterMs: undefined }],
  ])('%j', (settings, expected) => {
    expect(of(settings)).toEqual({ kind: 'script', script: { ...quietScript, ...expected } });
  });

  test.each([
    [{ 'exit-code': '300' }, 'annotation sim.coracle.dev/exit-code: "300" is not a number between 0 and 255'],
    [
      { 'exit-after': 'soon' },
      'annotation sim.coracle.dev/exit-after: "soon" is not a duration such as 500ms, 30s or 5m',
    ],
    [
      { listen: 'tcp:0' },
      'annotation sim.coracle.dev/listen: "tcp:0" is not ports such as http:8080, http:8080/healthz=503@2s, tcp:5432 or udp:53',
    ],
  ])('refuses %j', (settings, error) => {
    expect(of(settings)).toEqual({ kind: 'invalid', errors: [error] });
  });

  test('an unknown setting is named with those that exist', () => {
    expect(of({ exitcode: '1' })).toMatchObject({
      kind: 'invalid',
      errors: [
        expect.stringContaining('annotation sim.coracle.dev/exitcode: there is no such setting; there are exit-code,'),
      ],
    });
  });

  test('leaves other containers and other annotations alone', () => {
    expect(of({ 'other.exit-code': '1', registry: 'rate-limited', images: 'x' })).toEqual({ kind: 'none' });
    expect(containerScript({ 'example.com/exit-code': '1' }, 'app')).toEqual({ kind: 'none' });
  });

  test.each([
    [{ 'sim.coracle.dev/images': 'acme/app:1.0' }, 'docker.io/acme/app', '1.0', true],
    [{ 'sim.coracle.dev/images': 'acme/app:1.0' }, 'docker.io/acme/app', '2.0', false],
    [{ 'sim.coracle.dev/images': 'ghcr.io/acme/*' }, 'ghcr.io/acme/app', 'v1', true],
    [{ 'sim.coracle.dev/exit-code': '1' }, 'ghcr.io/any/thing', 'v1', true],
    [{}, 'ghcr.io/any/thing', 'v1', false],
  ])('%j makes %s:%s exist: %s', (annotations, repository, tag, exists) => {
    expect(imageByAnnotation(annotations as Record<string, string>, repository, tag)).toBe(exists);
  });
});
