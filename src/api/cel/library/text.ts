import { type CelFunc, type CelMap, CelScalar, celFunc, celList, celMethod } from '@bufbuild/cel';
import { hasFormat } from '../../formats.ts';
import { goRegExp } from '../../go-regexp.ts';
import {
  configMapKey,
  dns1035Label,
  dns1123Label,
  dns1123Subdomain,
  labelValue,
  maskTrailingDash,
  qualifiedName,
} from '../../names.ts';
import { none, opaque, part, some } from '../opaque.ts';

const { DYN, BOOL, INT, STRING } = CelScalar;

function pattern(text: string): RegExp {
  const compiled = goRegExp(text);
  if (!compiled) throw new Error(`error parsing regexp: ${text}`);
  return compiled;
}
const every = (text: string): RegExp => {
  const compiled = pattern(text);
  return new RegExp(compiled.source, `${compiled.flags}g`);
};

function url(text: string): CelMap {
  const absolute = URL.canParse(text) ? new URL(text) : undefined;
  if (!absolute && !text.startsWith('/'))
    throw new Error(
      `URL parse error during conversion from string: parse ${JSON.stringify(text)}: invalid URI for request`,
    );
  const parsed = absolute ?? new URL(text, 'http://relative.invalid');
  // URL drops a default port that the text names; Go keeps it.
  const port = /^[a-z][\w+.-]*:\/\/[^/?#]*:(\d+)(?:[/?#]|$)/i.exec(text)?.[1] ?? parsed.port;
  const hostname = absolute ? parsed.hostname.replace(/^\[|\]$/g, '') : '';
  const bracketed = hostname.includes(':') ? `[${hostname}]` : hostname;
  const query = new Map<string, string[]>();
  for (const [key, value] of parsed.searchParams) query.set(key, [...(query.get(key) ?? []), value]);
  return opaque('url', {
    text,
    scheme: absolute ? parsed.protocol.slice(0, -1) : '',
    host: port === '' ? bracketed : `${bracketed}:${port}`,
    hostname,
    port,
    path: absolute && parsed.pathname === '/' && !/:\/\/[^/]*\//.test(text) ? '' : parsed.pathname,
    query,
  });
}

const getter = (name: string, field: string): CelFunc =>
  celMethod(name, DYN, [], DYN, function () {
    return part(this, 'url', field);
  });

const reasonsBy: Readonly<Record<string, (value: string) => readonly string[]>> = {
  dns1123Label,
  dns1123Subdomain,
  dns1035Label,
  qualifiedName,
  configMapKey,
  labelValue,
  dns1123LabelPrefix: (value) => dns1123Label(maskTrailingDash(value)),
  dns1123SubdomainPrefix: (value) => dns1123Subdomain(maskTrailingDash(value)),
  dns1035LabelPrefix: (value) => dns1035Label(maskTrailingDash(value)),
  uri: (value) => (hasFormat('uri', value) ? [] : ['invalid URI']),
  uuid: (value) => (hasFormat('uuid', value) ? [] : ['does not match the UUID format']),
  byte: (value) => (hasFormat('byte', value) ? [] : ['invalid base64']),
  date: (value) => (hasFormat('date', value) ? [] : ['invalid date']),
  datetime: (value) => (hasFormat('datetime', value) ? [] : ['invalid datetime']),
};

const formats: readonly CelFunc[] = Object.keys(reasonsBy).map((name) =>
  celFunc(`format.${name}`, [], DYN, () => opaque('format', { name })),
);

/** Regular expressions, URLs and named formats. */
export const textFunctions: readonly CelFunc[] = [
  celMethod('find', STRING, [STRING], STRING, function (text) {
    return pattern(text).exec(this)?.[0] ?? '';
  }),
  celMethod('findAll', STRING, [STRING], DYN, function (text) {
    return celList([...this.matchAll(every(text))].map((match) => match[0]));
  }),
  celMethod('findAll', STRING, [STRING, INT], DYN, function (text, limit) {
    const found = [...this.matchAll(every(text))].map((match) => match[0]);
    return celList(limit < 0n ? found : found.slice(0, Number(limit)));
  }),
  celFunc('url', [STRING], DYN, url),
  celFunc('isURL', [STRING], BOOL, (text) => text.startsWith('/') || URL.canParse(text)),
  getter('getScheme', 'scheme'),
  getter('getHost', 'host'),
  getter('getHostname', 'hostname'),
  getter('getPort', 'port'),
  getter('getEscapedPath', 'path'),
  getter('getQuery', 'query'),
  ...formats,
  celFunc('format.named', [STRING], DYN, (name) =>
    Object.hasOwn(reasonsBy, name) ? some(opaque('format', { name })) : none,
  ),
  celMethod('validate', DYN, [STRING], DYN, function (value) {
    const check = reasonsBy[String(part(this, 'format', 'name'))];
    const reasons = check?.(value) ?? [];
    return reasons.length === 0 ? none : some(celList(reasons));
  }),
];
