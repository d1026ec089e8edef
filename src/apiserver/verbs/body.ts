import { decodeInto } from '../../api/decode.ts';
import { copyJson, isRecord } from '../../api/draft.ts';
import { strictDecodingError } from '../../api/parse-body.ts';
import { apiVersionOf } from '../../api/resource.ts';
import { badRequest, type StatusError, statusError } from '../../api/status.ts';
import type { Draft, KindDefinition } from '../../kinds/kind.ts';
import type { Operation } from '../core.ts';

/**
 * The body of a create or update as a draft of the kind asked for: a copy, checked against its schema, with defaults filled in.
 * Throws BadRequest.
 */
export function decodeBody(op: Operation, body: unknown): Draft {
  const { kind } = op;
  if (!isRecord(body)) throw badRequest(`the object provided is unrecognized (must be of type ${kind.resource.kind})`);
  checkKind(kind, body);
  return decodeDraft(op, body);
}

/** The same for an object of the right kind, such as what a patch made. Undeclared fields are reported as the request wants it. */
export function decodeDraft(op: Operation, raw: Draft): Draft {
  const { kind, request } = op;
  const { resource } = kind;
  const { object, unknown } = kind.decode
    ? kind.decode(copyJson(raw))
    : decodeInto(kind.schema(), raw, { kind: resource.kind, version: resource.version });
  object['kind'] = resource.kind;
  object['apiVersion'] = apiVersionOf(resource);
  const wrong = request.bodyErrors?.length ? [...unknown, ...request.bodyErrors] : unknown;
  if (wrong.length > 0) report(op, wrong);
  kind.defaults?.(object);
  return object;
}

/** What an apply sends: checked, but without defaults, since only what is named becomes the applier's. */
export function decodeForApply(op: Operation, raw: Draft): Draft {
  checkKind(op.kind, raw);
  const { resource } = op.kind;
  const { object, unknown } = op.kind.decode
    ? op.kind.decode(copyJson(raw))
    : decodeInto(op.kind.schema(), raw, { kind: resource.kind, version: resource.version });
  const { bodyErrors } = op.request;
  if (bodyErrors?.length) report(op, bodyErrors);
  if (unknown.length > 0) throw undeclared(op, object, unknown);
  return object;
}

/** Fields cannot be owned where no schema declares them, so an apply that names such ones fails however it wants them reported. */
function undeclared({ kind, request }: Operation, object: Draft, unknown: readonly string[]): StatusError {
  const { resource } = kind;
  const { namespace = '' } = request;
  const name = request.name ?? (object['metadata'] as { name?: string } | undefined)?.name ?? '';
  const errors = unknown.map(
    (text) => `.${/^unknown field "(.*)"$/s.exec(text)?.[1] ?? text}: field not declared in schema`,
  );
  const [only = '', ...more] = errors;
  const text = more.length === 0 ? only : `errors:\n${errors.map((error) => `  ${error}`).join('\n')}`;
  const what = `${namespace}/${name}; ${apiVersionOf(resource)}, Kind=${resource.kind}`;
  return statusError(500, '', `failed to create typed patch object (${what}): ${text}`);
}

/** Strict refuses, Warn (the default over HTTP) warns, Ignore and in-process callers who say nothing pass. */
function report(op: Operation, wrong: readonly string[]): void {
  const { kind, request, strategy } = op;
  const { kind: name, version } = kind.resource;
  if (request.options.fieldValidation === 'Strict') {
    throw badRequest(`${name} in version "${version}" cannot be handled as a ${name}: ${strictDecodingError(wrong)}`);
  }
  if (request.options.fieldValidation === 'Ignore') return;
  for (const message of wrong) strategy.warn(message);
}

function checkKind(kind: KindDefinition, body: Draft): void {
  const { resource } = kind;
  const apiVersion = apiVersionOf(resource);
  const { apiVersion: sentVersion, kind: sentKind } = body;
  if (sentVersion !== undefined && sentVersion !== '' && sentVersion !== apiVersion) {
    throw badRequest(
      `the API version in the data (${String(sentVersion)}) does not match the expected API version (${apiVersion})`,
    );
  }
  if (sentKind === undefined || sentKind === '' || sentKind === resource.kind) return;
  const { version } = resource;
  throw badRequest(
    `${String(sentKind)} in version "${version}" cannot be handled as a ${resource.kind}: converting (${version}.${String(sentKind)}) to (${version}.${resource.kind}): unknown conversion`,
  );
}
