import { type FieldError, invalid } from '../../api/field-error.ts';
import { nodes, pods, secrets, serviceaccounts } from '../../api/generated/resources.ts';
import type { AuthenticationV1TokenRequest, V1ServiceAccount } from '../../api/generated/types.ts';
import type { ResourceRequest, ResourceResult } from '../../api/handler.ts';
import { type Live, parseApiVersion } from '../../api/resource.ts';
import { badRequest, conflict, invalidObject, notFound } from '../../api/status.ts';
import { rfc3339 } from '../../base/clock.ts';
import type { Loose } from '../../kinds/draft.ts';
import type { ServiceAccountTokens, TokenSubject } from '../authn/service-account-tokens.ts';
import type { AdmissionPlugin, ServerContext, SpecialHandler } from '../contracts.ts';
import { admitSubresource } from './admit.ts';
import { bodyOf, created } from './answer.ts';

const group = 'authentication.k8s.io';
const defaultSeconds = 3600;
/** A mounted token asks for this life, and gets a year (pkg/serviceaccount/claims.go). */
const mountedSeconds = 3607;
const yearSeconds = 365 * 24 * 3600;

type Bound = Pick<TokenSubject, 'pod' | 'secret' | 'node'>;

/** What the token is to be bound to, checked against what is stored. */
function boundTo(
  context: ServerContext,
  namespace: string,
  account: Live<V1ServiceAccount>,
  ref: Loose<NonNullable<NonNullable<AuthenticationV1TokenRequest['spec']>['boundObjectRef']>>,
): Bound {
  const { group: refGroup, version } = parseApiVersion(ref.apiVersion ?? '');
  const { kind = '', name = '' } = ref;
  const same = (uid: string): void => {
    if (!ref.uid || ref.uid === uid) return;
    throw conflict(
      { group: refGroup, resource: kind },
      name,
      `the UID in the bound object reference (${ref.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  };
  if (refGroup === '' && kind === 'Pod') {
    const pod = context.reader.get(pods, namespace, name);
    if (!pod) throw notFound({ group: '', resource: 'pods' }, name);
    if (pod.spec?.serviceAccountName !== account.metadata.name) {
      throw badRequest(
        `cannot bind token for serviceaccount ${JSON.stringify(account.metadata.name)} to pod running with different serviceaccount name.`,
      );
    }
    same(pod.metadata.uid);
    const nodeName = pod.spec.nodeName;
    const node = nodeName ? context.reader.get(nodes, undefined, nodeName) : undefined;
    return {
      pod: { name, uid: pod.metadata.uid },
      ...(nodeName && { node: { name: nodeName, ...(node && { uid: node.metadata.uid }) } }),
    };
  }
  if (refGroup === '' && kind === 'Node') {
    const node = context.reader.get(nodes, undefined, name);
    if (!node) throw notFound({ group: '', resource: 'nodes' }, name);
    same(node.metadata.uid);
    return { node: { name, uid: node.metadata.uid } };
  }
  if (refGroup === '' && kind === 'Secret') {
    const secret = context.reader.get(secrets, namespace, name);
    if (!secret) throw notFound({ group: '', resource: 'secrets' }, name);
    same(secret.metadata.uid);
    return { secret: { name, uid: secret.metadata.uid } };
  }
  const shown = refGroup === '' ? `/${version}` : `${refGroup}/${version}`;
  throw badRequest(`cannot bind token to object of type ${shown}, Kind=${kind}`);
}

function checkSeconds(seconds: number): void {
  const errors: FieldError[] = [];
  const field = 'spec.expirationSeconds';
  if (seconds < 600) errors.push(invalid(field, seconds, 'may not specify a duration less than 10 minutes'));
  if (seconds > 2 ** 32) errors.push(invalid(field, seconds, 'may not specify a duration larger than 2^32 seconds'));
  if (errors.length > 0) throw invalidObject(group, 'TokenRequest', '', errors);
}

/** `serviceaccounts/token`: a signed token for the account (pkg/registry/core/serviceaccount/storage/token.go). */
export function tokenRequestHandler(options: {
  readonly tokens: ServiceAccountTokens;
  readonly admission: () => readonly AdmissionPlugin[];
}): SpecialHandler {
  const { tokens } = options;
  return async (request: ResourceRequest, context: ServerContext): Promise<ResourceResult> => {
    const sent = bodyOf<AuthenticationV1TokenRequest>(request, 'TokenRequest');
    const { name = '', namespace = '' } = request;
    const mismatch = (field: string, value: string, what: string): FieldError =>
      invalid(`metadata.${field}`, value, `must match the service account ${what} if specified`);
    if (sent.metadata?.name && sent.metadata.name !== name) {
      throw invalidObject(group, 'TokenRequest', name, [mismatch('name', sent.metadata.name, 'name')]);
    }
    if (sent.metadata?.namespace && sent.metadata.namespace !== namespace) {
      throw invalidObject(group, 'TokenRequest', name, [mismatch('namespace', sent.metadata.namespace, 'namespace')]);
    }
    const account = context.reader.get(serviceaccounts, namespace, name);
    if (!account) throw notFound({ group: '', resource: 'serviceaccounts' }, name);
    const { uid } = account.metadata;
    if (sent.metadata?.uid && sent.metadata.uid !== uid) {
      throw conflict(
        { group, resource: 'TokenRequest' },
        name,
        `the UID in the token request (${sent.metadata.uid}) does not match the UID of the service account (${uid})`,
      );
    }
    const seconds = sent.spec?.expirationSeconds ?? defaultSeconds;
    checkSeconds(seconds);
    if (request.body) await admitSubresource(options.admission(), context, request, serviceaccounts, request.body);
    const asked = (sent.spec?.audiences ?? []).filter((audience) => audience !== '');
    const audiences = asked.length > 0 ? asked : [...tokens.audiences];
    const ref = sent.spec?.boundObjectRef;
    const bound = ref ? boundTo(context, namespace, account, ref) : {};
    const extended =
      bound.pod !== undefined &&
      seconds === mountedSeconds &&
      audiences.every((audience) => tokens.audiences.includes(audience));
    const now = context.clock.now();
    const token = tokens.issue(
      { namespace, serviceAccount: { name, uid }, ...bound },
      { audiences, expirationSeconds: extended ? yearSeconds : seconds, ...(extended && { warnAfter: seconds }) },
    );
    const answer: AuthenticationV1TokenRequest = {
      apiVersion: `${group}/v1`,
      kind: 'TokenRequest',
      metadata: { name, namespace, uid, creationTimestamp: rfc3339(now) },
      spec: {
        audiences,
        expirationSeconds: seconds,
        ...(ref && {
          boundObjectRef: {
            ...(ref.kind && { kind: ref.kind }),
            ...(ref.apiVersion && { apiVersion: ref.apiVersion }),
            ...(ref.name && { name: ref.name }),
            ...(ref.uid && { uid: ref.uid }),
          },
        }),
      },
      status: { token, expirationTimestamp: rfc3339(now + seconds * 1000) },
    };
    return created(answer);
  };
}
