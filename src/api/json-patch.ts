import { copyJson, type Draft, equalJson, isRecord, setOwn } from './draft.ts';
import { goJsonKind } from './go-format.ts';
import { PatchError } from './patch-error.ts';

export interface JsonPatchOperation {
  readonly op: string;
  readonly path: string;
  readonly from?: string;
  readonly value?: unknown;
}

/** The most operations one patch may hold (apiserver/pkg/endpoints/handlers/patch.go). */
const maxOperations = 10_000;
/** `copy` may not grow a document beyond this many copied bytes (as upstream's limit on a request body). */
const maxCopiedBytes = 3 * 1024 * 1024;

const fail = (message: string): never => {
  throw new PatchError('unprocessable', message);
};

/** Checks that a parsed body is a JSON patch. Throws `PatchError` with upstream's decode errors. */
export function readJsonPatch(body: unknown): readonly JsonPatchOperation[] {
  if (body === null) return [];
  if (!Array.isArray(body)) {
    throw new PatchError(
      'malformed',
      `error decoding patch: json: cannot unmarshal ${goJsonKind(body)} into Go value of type jsonpatch.Patch`,
    );
  }
  for (const operation of body) {
    if (!isRecord(operation)) {
      throw new PatchError(
        'malformed',
        `error decoding patch: json: cannot unmarshal ${goJsonKind(operation)} into Go value of type jsonpatch.Operation`,
      );
    }
  }
  if (body.length > maxOperations) {
    throw new PatchError(
      'too-large',
      `The allowed maximum operations in a JSON patch is ${maxOperations}, got ${body.length}`,
    );
  }
  return body as readonly JsonPatchOperation[];
}

function readPointer(pointer: unknown, what: string): readonly string[] {
  if (typeof pointer !== 'string') return fail(`${what} operation does not apply: missing path`);
  if (pointer === '') return [];
  if (!pointer.startsWith('/')) return fail(`${what} operation does not apply: doc is missing path: "${pointer}"`);
  return pointer
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** An index into an array; `-` is one past its end, negative ones count from there, as evanphx/json-patch allows. */
function readIndex(key: string, length: number, forAdd: boolean): number {
  if (key === '-' && forAdd) return length;
  if (!/^-?\d+$/.test(key)) return fail(`value was not a proper array index: '${key}'`);
  const index = Number(key);
  const size = forAdd ? length + 1 : length;
  const at = index < 0 ? index + size : index;
  if (at < 0 || at >= size) return fail(`Unable to access invalid index: ${key}: invalid index referenced`);
  return at;
}

type Container = Draft | unknown[];
const isContainer = (value: unknown): value is Container => typeof value === 'object' && value !== null;

function child(container: Container, key: string): unknown {
  if (Array.isArray(container)) return container[readIndex(key, container.length, false)];
  return Object.hasOwn(container, key) ? container[key] : undefined;
}

interface Place {
  readonly container: Container;
  readonly key: string;
}

function locate(root: Draft, path: readonly string[], op: string, pointer: string): Place {
  let at: Container = root;
  for (const part of path.slice(0, -1)) {
    const next = child(at, part);
    if (!isContainer(next))
      return fail(`${op} operation does not apply: doc is missing path: "${pointer}": missing value`);
    at = next;
  }
  return { container: at, key: path.at(-1) ?? '' };
}

function has({ container, key }: Place): boolean {
  if (!Array.isArray(container)) return Object.hasOwn(container, key);
  readIndex(key, container.length, false);
  return true;
}

function put({ container, key }: Place, value: unknown): void {
  if (Array.isArray(container)) container.splice(readIndex(key, container.length, true), 0, value);
  else setOwn(container, key, value);
}

function take(place: Place, op: string, pointer: string): unknown {
  if (!has(place))
    return fail(`${op} operation does not apply: Unable to remove nonexistent key: ${pointer}: missing value`);
  const { container, key } = place;
  if (Array.isArray(container)) return container.splice(readIndex(key, container.length, false), 1)[0];
  const value = container[key];
  delete container[key];
  return value;
}

interface State {
  /** A holder under which the document lies as `doc`, so that the empty pointer is a place like any other. */
  readonly root: Draft;
  copied: number;
}

function applyOne(state: State, operation: JsonPatchOperation): void {
  const { op } = operation;
  const at = (pointer: unknown): Place => locate(state.root, ['doc', ...readPointer(pointer, op)], op, String(pointer));
  switch (op) {
    case 'add':
      put(at(operation.path), copyJson(operation.value ?? null));
      return;
    case 'remove':
      take(at(operation.path), op, operation.path);
      return;
    case 'replace': {
      const place = at(operation.path);
      if (!has(place)) fail(`replace operation does not apply: doc is missing key: ${operation.path}: missing value`);
      const value = copyJson(operation.value ?? null);
      if (Array.isArray(place.container)) {
        place.container[readIndex(place.key, place.container.length, false)] = value;
      } else setOwn(place.container, place.key, value);
      return;
    }
    case 'move': {
      if (`${operation.path}/`.startsWith(`${operation.from}/`) && operation.path !== operation.from) {
        fail(`move operation does not apply: "${operation.from}" is a parent of "${operation.path}"`);
      }
      const value = take(at(operation.from), op, String(operation.from));
      put(at(operation.path), value);
      return;
    }
    case 'copy': {
      const from = at(operation.from);
      if (!has(from)) fail(`copy operation does not apply: doc is missing key: ${operation.from}: missing value`);
      const value = child(from.container, from.key);
      state.copied += JSON.stringify(value)?.length ?? 0;
      if (state.copied > maxCopiedBytes) fail('Unable to copy: the size limit of copied values has been reached');
      put(at(operation.path), copyJson(value));
      return;
    }
    case 'test': {
      const place = at(operation.path);
      const value = Array.isArray(place.container) || has(place) ? child(place.container, place.key) : null;
      if (!equalJson(value ?? null, operation.value ?? null)) {
        fail(`testing value ${operation.path} failed: test failed`);
      }
      return;
    }
    default:
      fail(`Unexpected kind: ${op}`);
  }
}

/** Applies a JSON patch (RFC 6902), all of it or none. The result shares nothing with its inputs. Throws `PatchError`. */
export function jsonPatch(original: unknown, patch: unknown): unknown {
  const operations = readJsonPatch(patch);
  const state: State = { root: { doc: copyJson(original) }, copied: 0 };
  for (const operation of operations) applyOne(state, operation);
  return state.root['doc'];
}
