import { notAcceptable } from '../../api/status.ts';

/** How an answer is to be written. */
export interface Format {
  readonly type: 'json' | 'yaml' | 'protobuf';
  /** What objects are turned into first. */
  readonly as: 'object' | 'table' | 'partial' | 'discovery';
  /** The version of the Table, PartialObjectMetadata or discovery asked for. */
  readonly version: string;
}

/** Kubernetes' own binary form. */
export const protobufType = 'application/vnd.kubernetes.protobuf';

const plain: Format = { type: 'json', as: 'object', version: '' };
const known = new Map<string, readonly Format[]>();

/** Every format an Accept header names that is served, best first. */
function read(accept: string): readonly Format[] {
  const wanted: { readonly format: Format; readonly q: number }[] = [];
  for (const part of accept.split(',')) {
    const [type = '', ...rest] = part.split(';').map((it) => it.trim());
    const params = new Map(
      rest.map((it): [string, string] => {
        const equals = it.indexOf('=');
        return equals < 0 ? [it, ''] : [it.slice(0, equals), it.slice(equals + 1)];
      }),
    );
    const format = formatOf(type.toLowerCase(), params);
    if (format) wanted.push({ format, q: Number(params.get('q') ?? 1) });
  }
  return wanted.sort((a, b) => b.q - a.q).map((it) => it.format);
}

function formatOf(type: string, params: ReadonlyMap<string, string>): Format | undefined {
  const out =
    type === 'application/json' || type === '*/*' || type === 'application/*'
      ? 'json'
      : type === 'application/yaml'
        ? 'yaml'
        : type === protobufType
          ? 'protobuf'
          : undefined;
  if (!out) return undefined;
  const as = params.get('as');
  const version = params.get('v') ?? '';
  const group = params.get('g') ?? '';
  if (as === undefined) return out === 'json' ? plain : { type: out, as: 'object', version: '' };
  if (group === 'meta.k8s.io' && (version === 'v1' || version === 'v1beta1')) {
    if (as === 'Table') return { type: out, as: 'table', version };
    if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList')
      return { type: out, as: 'partial', version };
  }
  if (
    group === 'apidiscovery.k8s.io' &&
    as === 'APIGroupDiscoveryList' &&
    (version === 'v2' || version === 'v2beta1')
  ) {
    return { type: out, as: 'discovery', version };
  }
  return undefined;
}

/** The best format that `allowed` takes. Throws NotAcceptable. */
export function negotiate(accept: string | undefined, allowed: (format: Format) => boolean): Format {
  if (accept === undefined || accept === '' || accept === 'application/json') return plain;
  let formats = known.get(accept);
  if (!formats) {
    formats = read(accept);
    if (known.size >= 512) known.clear();
    if (accept.length < 1024) known.set(accept, formats);
  }
  const found = formats.find(allowed);
  if (!found) {
    const types = ['application/json', 'application/yaml'];
    if (allowed({ type: 'protobuf', as: 'object', version: '' })) types.push(protobufType);
    throw notAcceptable(`only the following media types are accepted: ${types.join(', ')}`);
  }
  return found;
}
