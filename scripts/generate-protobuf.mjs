// Writes src/apiserver/http/protobuf/messages.json: the fields of every stable built-in type as they stand in Kubernetes' protobuf form.
// They are read from the struct tags of the pinned Go modules below, and compared with the generated.proto files beside them.
// Usage: node scripts/generate-protobuf.mjs [--check]
//   Without an argument it needs Go and its module proxy. --check needs neither: it compares the committed file with the hash that was
//   recorded when it was written (messages.source.json).
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const version = 'v0.36.0';
const modules = ['k8s.io/api', 'k8s.io/apimachinery', 'k8s.io/apiextensions-apiserver', 'k8s.io/kube-aggregator'];
const packages = {
  'k8s.io/apimachinery': { 'pkg/apis/meta/v1': 'meta.v1' },
  'k8s.io/apiextensions-apiserver': { 'pkg/apis/apiextensions/v1': 'apiextensions.v1' },
  'k8s.io/kube-aggregator': { 'pkg/apis/apiregistration/v1': 'apiregistration.v1' },
};
const table = new URL('../src/apiserver/http/protobuf/messages.json', import.meta.url);
const record = new URL('../src/apiserver/http/protobuf/messages.source.json', import.meta.url);
const hashOf = (messages) => createHash('sha256').update(JSON.stringify(messages)).digest('hex');

/** Types with a form of their own. */
const special = {
  'meta.v1.Time': 'T',
  'meta.v1.MicroTime': 'M',
  'meta.v1.Duration': 'D',
  'meta.v1.FieldsV1': 'F',
  'resource.Quantity': 'Q',
  'intstr.IntOrString': 'I',
  'runtime.RawExtension': 'R',
  'apiextensions.v1.JSON': 'R',
  'apiextensions.v1.JSONSchemaPropsOrArray': 'SA',
  'apiextensions.v1.JSONSchemaPropsOrBool': 'SB',
  'apiextensions.v1.JSONSchemaPropsOrStringArray': 'SS',
  'types.UID': 's',
  'types.NodeName': 's',
};
const scalars = {
  string: 's',
  bool: 'b',
  int: 'i',
  int32: 'i',
  int64: 'i',
  uint8: 'i',
  uint32: 'i',
  float64: 'd',
  '[]byte': 'y',
};

function download(module) {
  const out = execFileSync('go', ['mod', 'download', '-json', `${module}@${version}`], { encoding: 'utf8' });
  const { Dir, Sum } = JSON.parse(out);
  return { dir: Dir, sum: Sum };
}

/** Directories of stable versions of k8s.io/api, as `apps/v1`. */
function stablePackages(dir) {
  const found = {};
  for (const group of readdirSync(dir, { withFileTypes: true }).filter((it) => it.isDirectory())) {
    for (const name of readdirSync(join(dir, group.name))) {
      if (/^v\d+$/.test(name) && existsSync(join(dir, group.name, name, 'generated.proto')))
        found[`${group.name}/${name}`] = `${group.name}.${name}`;
    }
  }
  return found;
}

/** The type declarations of one Go package: structs with their tagged fields, and what other names stand for. */
function readPackage(dir, name) {
  const types = {};
  for (const file of readdirSync(dir)) {
    if (!file.endsWith('.go') || file.endsWith('_test.go') || file.includes('generated')) continue;
    const text = readFileSync(join(dir, file), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
    const imports = {};
    for (const [, alias, path] of text.matchAll(/^\s*(?:import\s+)?(\w+)?\s*"((?:k8s\.io|sigs\.k8s\.io)\/[^"]+)"/gm))
      imports[alias ?? basename(path)] = path;
    for (const [, type, body] of text.matchAll(/^type (\w+) struct \{\n([\s\S]*?)^\}/gm))
      types[type] = { fields: readFields(body), imports, package: name };
    for (const [, type] of text.matchAll(/^type (\w+) struct ?\{\s*\}/gm))
      types[type] = { fields: [], imports, package: name };
    for (const [, type, of] of text.matchAll(/^type (\w+) ([^\s{=][^\n{]*)$/gm))
      if (!of.startsWith('struct') && !of.startsWith('interface') && !of.startsWith('func'))
        types[type] = { alias: of.trim(), imports, package: name };
  }
  return types;
}

function readFields(body) {
  const fields = [];
  for (const line of body.split('\n')) {
    const match = /^\s*(?:(\w+)\s+)?([^\s`/]+)\s+`([^`]*)`/.exec(line);
    const number = /protobuf:"[^",]*,(\d+),/.exec(match?.[3] ?? '')?.[1];
    if (!match || number === undefined) continue;
    const json = /json:"([^",]*)/.exec(match[3])?.[1] ?? '';
    fields.push({ number: Number(number), json: json === '-' ? '' : json, type: match[2], inline: json === '' });
  }
  return fields;
}

/** `meta.v1` of an import path. */
const packageOf = (path) => {
  const parts = path.split('/');
  return /^v\d/.test(parts.at(-1)) ? `${parts.at(-2)}.${parts.at(-1)}` : parts.at(-1);
};

/** The code of a Go type as the table writes it. */
function codeOf(goType, from, types) {
  let type = goType;
  let code = '';
  if (type.startsWith('*')) {
    code = '*';
    type = type.slice(1);
  }
  if (type in scalars) return code + scalars[type];
  if (type.startsWith('[]')) return `${code}[]${codeOf(type.slice(2), from, types)}`;
  const map = /^map\[[^\]]+\](.+)$/.exec(type);
  if (map) return `${code}{}${codeOf(map[1], from, types)}`;
  const [first, second] = type.split('.');
  const name =
    second === undefined ? `${from.package}.${type}` : `${packageOf(from.imports[first] ?? first)}.${second}`;
  if (name in special) return code + special[name];
  const declared = types[name];
  if (!declared) throw new Error(`${from.package}: unknown type ${goType} (${name})`);
  if (declared.fields) return `${code}@${name}`;
  // A named list of texts is a message with that list in it, because it also stands as a map's value.
  if (declared.alias === '[]string' && declared.wrapped) return `${code}L`;
  return code + codeOf(declared.alias, declared, types);
}

/** The messages of a generated.proto: their field numbers. */
function readProto(text) {
  const messages = {};
  for (const [, name, body] of text.matchAll(/^message (\w+) \{\n([\s\S]*?)^\}/gm))
    messages[name] = [...body.matchAll(/^ {2}(?:optional|repeated|map<)[^=;]*= (\d+)/gm)].map(([, number]) =>
      Number(number),
    );
  return messages;
}

function generate() {
  const sums = {};
  const types = {};
  const protos = {};
  for (const module of modules) {
    const { dir, sum } = download(module);
    sums[module] = { version, sum };
    for (const [path, name] of Object.entries(packages[module] ?? stablePackages(dir))) {
      for (const [type, declared] of Object.entries(readPackage(join(dir, path), name)))
        types[`${name}.${type}`] = declared;
      for (const [type, numbers] of Object.entries(readProto(readFileSync(join(dir, path, 'generated.proto'), 'utf8'))))
        protos[`${name}.${type}`] = numbers;
    }
  }
  for (const name of Object.keys(protos)) if (types[name]?.alias !== undefined) types[name].wrapped = true;
  const messages = {};
  for (const name of Object.keys(types).sort()) {
    const declared = types[name];
    if (!declared.fields || name in special || !(name in protos)) continue;
    const numbers = declared.fields.map(({ number }) => number).sort((a, b) => a - b);
    if (numbers.join() !== [...protos[name]].sort((a, b) => a - b).join())
      throw new Error(`${name}: the struct has fields ${numbers}, generated.proto ${protos[name]}`);
    messages[name] = declared.fields
      .map(({ number, json, type, inline }) => {
        const code = codeOf(type, declared, types);
        return `${number} ${json} ${inline && code.startsWith('@') ? '~' : ''}${code}`;
      })
      .join(', ');
  }
  return { messages, modules: sums };
}

if (process.argv.includes('--check')) {
  const { sha256 } = JSON.parse(readFileSync(record, 'utf8'));
  if (hashOf(JSON.parse(readFileSync(table, 'utf8'))) !== sha256) {
    console.error('messages.json is not what scripts/generate-protobuf.mjs wrote; run it again');
    process.exitCode = 1;
  }
} else {
  const { messages, modules: from } = generate();
  writeFileSync(table, `${JSON.stringify(messages, null, 2)}\n`);
  writeFileSync(record, `${JSON.stringify({ modules: from, sha256: hashOf(messages) }, null, 2)}\n`);
}
