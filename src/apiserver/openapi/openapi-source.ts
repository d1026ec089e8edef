import { createHash } from 'node:crypto';
import type { KindRegistry } from '../contracts.ts';
import { buildOpenApiV2 } from './v2.ts';
import { openApiV2Protobuf } from './v2-protobuf.ts';
import { buildOpenApiV3, buildOpenApiV3Index } from './v3.ts';

export interface OpenApiDocument {
  readonly body: Buffer;
  readonly etag: string;
  readonly contentType: string;
}

const json = 'application/json';
const protobuf = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';
const wantsProtobuf = (accept: string): boolean =>
  /com\.github\.proto-openapi\.spec\.v2[.@]v1\.0\+protobuf/.test(accept);

const documentOf = (body: Buffer, contentType: string): OpenApiDocument => ({
  body,
  contentType,
  etag: `"${createHash('sha512').update(body).digest('hex').toUpperCase()}"`,
});

/**
 * Serves what lies below `/openapi`. Documents are built when asked for and kept until the kinds change; those of group versions whose
 * hash stays are kept even then, so that a new custom resource does not cost the others.
 */
export function openApiSource(registry: () => KindRegistry): {
  find(path: string, accept: string): OpenApiDocument | undefined;
} {
  let generation = -1;
  /** By path and form, for the generation. */
  let documents = new Map<string, OpenApiDocument>();
  /** By URL with hash. */
  let versions = new Map<string, OpenApiDocument>();
  let urls: Readonly<Record<string, { readonly serverRelativeURL: string }>> = {};

  const refresh = (): void => {
    const kinds = registry();
    if (kinds.generation === generation) return;
    generation = kinds.generation;
    const index = buildOpenApiV3Index(kinds);
    urls = index['paths'] as typeof urls;
    const live = new Set(Object.values(urls).map(({ serverRelativeURL }) => serverRelativeURL));
    versions = new Map([...versions].filter(([url]) => live.has(url)));
    documents = new Map([['v3', documentOf(Buffer.from(JSON.stringify(index)), json)]]);
  };

  const remember = (map: Map<string, OpenApiDocument>, key: string, make: () => OpenApiDocument): OpenApiDocument => {
    const known = map.get(key);
    if (known) return known;
    const made = make();
    map.set(key, made);
    return made;
  };

  return {
    find(path, accept) {
      refresh();
      const rest = path.replace(/^\/openapi\/?/, '').replace(/\/$/, '');
      if (rest === 'v2') {
        const binary = wantsProtobuf(accept);
        return remember(documents, binary ? 'v2-protobuf' : 'v2', () => {
          const document = buildOpenApiV2(registry());
          return binary
            ? documentOf(openApiV2Protobuf(document), protobuf)
            : documentOf(Buffer.from(JSON.stringify(document)), json);
        });
      }
      if (rest === 'v3') return documents.get('v3');
      const name = rest.startsWith('v3/') ? rest.slice(3) : '';
      const url = Object.hasOwn(urls, name) ? urls[name]?.serverRelativeURL : undefined;
      if (url === undefined) return undefined;
      return remember(versions, url, () =>
        documentOf(Buffer.from(JSON.stringify(buildOpenApiV3(registry(), name))), json),
      );
    },
  };
}
