import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeInto } from './decode.ts';
import { parseJson, parseYaml } from './parse-body.ts';
import { builtinSchema } from './schemas.ts';
import { StatusError } from './status.ts';

const deployment = builtinSchema('io.k8s.api.apps.v1.Deployment');
const pod = builtinSchema('io.k8s.api.core.v1.Pod');
const secret = builtinSchema('io.k8s.api.core.v1.Secret');
const lease = builtinSchema('io.k8s.api.coordination.v1.Lease');
const asPod = (raw: unknown) => decodeInto(pod, raw, { kind: 'Pod', version: 'v1' });

describe('decodeInto', () => {
  it('names unknown fields and drops them', () => {
    const { object, unknown } = asPod({
      apiVersion: 'v1',
      spec: { containers: [{ name: 'a', imagePullPolcy: 'x' }] },
      extra: 1,
      metadata: { labels: { any: 'x' } },
    });
    expect(unknown).toEqual(['unknown field "spec.containers[0].imagePullPolcy"', 'unknown field "extra"']);
    expect(object).toEqual({
      apiVersion: 'v1',
      spec: { containers: [{ name: 'a' }] },
      metadata: { labels: { any: 'x' } },
    });
  });

  it.each([
    [
      deployment,
      'Deployment',
      { spec: { replicas: 'x' } },
      'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      pod,
      'Pod',
      { spec: { containers: [{ image: 1 }] } },
      'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal number into Go struct field Container.spec.containers.image of type string',
    ],
    [
      pod,
      'Pod',
      { spec: { containers: {} } },
      'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container',
    ],
    [
      pod,
      'Pod',
      { metadata: { labels: { a: 1 } } },
      'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels.a of type string',
    ],
    [
      pod,
      'Pod',
      { spec: { containers: [{ resources: { limits: { cpu: 'x' } } }] } },
      'Pod in version "v1" cannot be handled as a Pod: quantities must match the regular expression \'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$\'',
    ],
    [
      secret,
      'Secret',
      { data: { a: '@@' } },
      'Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte 0',
    ],
    [
      pod,
      'Pod',
      { metadata: { creationTimestamp: 'yesterday' } },
      'Pod in version "v1" cannot be handled as a Pod: parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"',
    ],
    [
      pod,
      'Pod',
      { spec: { activeDeadlineSeconds: 1.5 } },
      'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal number 1.5 into Go struct field PodSpec.spec.activeDeadlineSeconds of type int64',
    ],
  ])('%# refuses the wrong type', (schema, kind, raw, message) => {
    expect(() => decodeInto(schema, raw, { kind, version: 'v1' })).toThrow(message);
  });

  it('treats null as absent, keeps what is meant, canonicalises quantities and times', () => {
    const { object } = asPod({
      metadata: { creationTimestamp: null, labels: {}, deletionTimestamp: '2024-01-01T02:00:00.5+02:00' },
      spec: {
        containers: [{ name: 'a', args: [], resources: { limits: { cpu: 0.5, memory: '1024Mi' } } }],
        volumes: [{ name: 'v', emptyDir: {} }],
      },
    });
    expect(object).toEqual({
      metadata: { deletionTimestamp: '2024-01-01T00:00:00Z' },
      spec: {
        containers: [{ name: 'a', resources: { limits: { cpu: '500m', memory: '1Gi' } } }],
        volumes: [{ name: 'v', emptyDir: {} }],
      },
    });
    expect(
      decodeInto(lease, { spec: { renewTime: '2024-01-01T00:00:00Z' } }, { kind: 'Lease', version: 'v1' }).object,
    ).toEqual({ spec: { renewTime: '2024-01-01T00:00:00.000000Z' } });
  });

  it('answers any JSON with an object or a 400', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (spec, metadata) => {
        try {
          asPod({ spec, metadata });
        } catch (error) {
          expect(error).toBeInstanceOf(StatusError);
        }
      }),
    );
  });
});

describe('parseJson', () => {
  it.each([
    ['{', 'unexpected end of JSON input'],
    ['{"a":}', "invalid character '}' looking for beginning of value"],
    ['{a:1}', "invalid character 'a' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b"}', `invalid character '"' after object key:value pair`],
    ['[1 2]', "invalid character '2' after array element"],
    ['{} x', "invalid character 'x' after top-level value"],
    ['nope', "invalid character 'o' in literal null (expecting 'u')"],
    ['{"a":"\\x"}', "invalid character 'x' in string escape code"],
  ])('%j', (text, message) => {
    expect(() => parseJson(text)).toThrow(`couldn't get version/kind; json parse error: ${message}`);
  });

  it('says which kind was expected', () => {
    expect(() => parseJson('{', { kind: 'Pod' })).toThrow(
      "the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: unexpected end of JSON input ({)",
    );
  });

  it('finds repeated fields', () => {
    const text = '{"a":1,"b":{"c":[{"d":1,"d":2}],"\\u0063":3},"a":2}';
    expect(parseJson(text, { findDuplicates: true }).duplicates).toEqual([
      'duplicate field "b.c[0].d"',
      'duplicate field "b.c"',
      'duplicate field "a"',
    ]);
  });

  it('explains every text that JSON.parse refuses, and finds nothing repeated in clean ones', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('{', '}', '[', ']', ',', ':', '"a"', '1', 'true', 'x', ' ', '-')),
        (parts) => {
          try {
            parseJson(parts.join(''), { findDuplicates: true });
          } catch (error) {
            expect(error).toBeInstanceOf(StatusError);
            expect((error as Error).message).not.toContain('max depth');
          }
        },
      ),
      { numRuns: 1000 },
    );
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(parseJson(JSON.stringify(value), { findDuplicates: true }).duplicates).toEqual([]);
      }),
    );
  });
});

describe('parseYaml', () => {
  it('reads YAML as Kubernetes does', () => {
    expect(parseYaml('a: 1\nb: yes\nc: 2024-01-01\nd: 0o10\ne: "1"\nf: 1.5\ng:\n').value).toEqual({
      a: 1,
      b: true,
      c: '2024-01-01',
      d: '0o10',
      e: '1',
      f: 1.5,
      g: null,
    });
    expect(parseYaml('base: &b {x: 1}\nw:\n  <<: *b\n  z: 2').value).toEqual({ base: { x: 1 }, w: { x: 1, z: 2 } });
    expect(() => parseYaml('a: [1')).toThrow(
      /^couldn't get version\/kind; json parse error: error converting YAML to JSON: yaml: line 1/,
    );
    expect(parseYaml('a: 1\na: 2', { findDuplicates: true }).duplicates).toEqual([
      'yaml: unmarshal errors:\n  line 2: key "a" already set in map',
    ]);
  });
});
