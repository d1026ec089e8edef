import { duplicate, type FieldError, forbiddenField, invalid, notSupported, required } from '../../api/field-error.ts';
import { certificatesigningrequests } from '../../api/generated/resources.ts';
import type { V1CertificateSigningRequest } from '../../api/generated/types.ts';
import { dns1123Subdomain } from '../../api/names.ts';
import type { KubeObject } from '../../api/resource.ts';
import { rfc3339 } from '../../base/clock.ts';
import { invalids } from '../checks.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { asLoose, type Loose } from '../draft.ts';
import { humanDuration } from '../human-duration.ts';
import type { Draft, StrategyContext } from '../kind.ts';
import { immutable, pathName, validateObjectMetaUpdate } from '../object-meta.ts';
import { semanticEqual } from '../semantic-equal.ts';

type Request = Loose<V1CertificateSigningRequest>;

const decisions = ['Approved', 'Denied'];
const usages = new Set([
  ...['signing', 'digital signature', 'content commitment', 'key encipherment', 'key agreement', 'data encipherment'],
  ...['cert sign', 'crl sign', 'encipher only', 'decipher only', 'any', 'server auth', 'client auth', 'code signing'],
  ...['email protection', 's/mime', 'ipsec end system', 'ipsec tunnel', 'ipsec user', 'timestamping', 'ocsp signing'],
  ...['microsoft sgc', 'netscape sgc'],
]);

function validateConditions({ status = {} }: Request): FieldError[] {
  const errors: FieldError[] = [];
  const conditions = status.conditions ?? [];
  const decided = new Set<string>();
  conditions.forEach(({ type = '', status: value = '' }, i) => {
    const at = `status.conditions[${i}]`;
    if (type === '') errors.push(required(`${at}.type`));
    else if (conditions.findIndex((it) => it.type === type) < i) errors.push(duplicate(`${at}.type`, type));
    if (value === '') errors.push(required(`${at}.status`));
    else if ([...decisions, 'Failed'].includes(type)) {
      if (value !== 'True') errors.push(notSupported(`${at}.status`, value, ['True']));
    } else if (!['True', 'False', 'Unknown'].includes(value)) {
      errors.push(notSupported(`${at}.status`, value, ['False', 'True', 'Unknown']));
    }
    if (decisions.includes(type)) decided.add(type);
    if (decided.size > 1) {
      const detail = 'Approved and Denied conditions are mutually exclusive';
      errors.push(invalid(`${at}.type`, type, detail));
    }
  });
  return errors;
}

function validateRequest(request: Request): FieldError[] {
  const { spec = {} } = request;
  const errors: FieldError[] = [];
  const pem = Buffer.from(spec.request ?? '', 'base64').toString();
  if (!pem.includes('-----BEGIN CERTIFICATE REQUEST-----')) {
    const detail = 'PEM block type must be CERTIFICATE REQUEST';
    errors.push(invalid('spec.request', spec.request ?? '', detail));
  }
  const listed = spec.usages ?? [];
  if (listed.length === 0) errors.push(required('spec.usages', 'usages must be specified'));
  listed.forEach((usage, i) => {
    if (!usages.has(usage)) errors.push(notSupported(`spec.usages[${i}]`, usage, [...usages].sort()));
    if (listed.indexOf(usage) < i) errors.push(duplicate(`spec.usages[${i}]`, usage));
  });
  const { signerName = '', expirationSeconds } = spec;
  const [domain = '', ...path] = signerName.split('/');
  if (signerName === '') errors.push(required('spec.signerName'));
  else if (path.length !== 1 || path[0] === '') {
    const detail = 'must be a fully qualified domain and path of the form "example.com/signer-name"';
    errors.push(invalid('spec.signerName', signerName, detail));
  } else errors.push(...invalids('spec.signerName', signerName, dns1123Subdomain(domain)));
  if (signerName === 'kubernetes.io/legacy-unknown') {
    const detail = 'the legacy signerName is not allowed via this API version';
    errors.push(invalid('spec.signerName', signerName, detail));
  }
  if (expirationSeconds !== undefined && expirationSeconds < 600) {
    const detail = 'may not specify a duration less than 600 seconds (10 minutes)';
    errors.push(invalid('spec.expirationSeconds', expirationSeconds, detail));
  }
  return [...errors, ...validateConditions(request)];
}

/** Decisions may be made once, by the approval subresource alone. */
function validateDecisions(next: Request, old: Request, mayDecide: boolean): FieldError[] {
  const errors: FieldError[] = [];
  for (const type of [...decisions, 'Failed']) {
    const find = (request: Request) => request.status?.conditions?.find((it) => it.type === type);
    const before = find(old);
    const after = find(next);
    if (before && !after) {
      errors.push(forbiddenField('status.conditions', `updates may not remove a condition of type "${type}"`));
    } else if (!before && after && decisions.includes(type) && !mayDecide) {
      errors.push(forbiddenField('status.conditions', `updates may not add a condition of type "${type}"`));
    }
  }
  return errors;
}

function stampConditions(next: Request, old: Request, { clock }: StrategyContext): void {
  const now = rfc3339(clock.now());
  for (const condition of next.status?.conditions ?? []) {
    condition.lastUpdateTime ??= now;
    const before = old.status?.conditions?.find((it) => it.type === condition.type);
    const kept = before && before.status === condition.status ? before.lastTransitionTime : undefined;
    condition.lastTransitionTime ??= kept ?? now;
    condition.status ||= 'True';
  }
}

function validateChange(next: KubeObject, old: KubeObject, mayDecide: boolean): FieldError[] {
  const after = asLoose<V1CertificateSigningRequest>(next);
  const before = asLoose<V1CertificateSigningRequest>(old);
  const certificate = before.status?.certificate;
  return [
    ...validateObjectMetaUpdate(next.metadata, old.metadata),
    ...validateConditions(after),
    ...validateDecisions(after, before, mayDecide),
    ...(certificate && certificate !== after.status?.certificate
      ? [
          forbiddenField(
            'status.certificate',
            'updates may not set certificate content: existing content cannot be changed',
          ),
        ]
      : []),
  ];
}

function conditionText({ status = {} }: Request): string {
  const has = (type: string): boolean => status.conditions?.some((it) => it.type === type) ?? false;
  const decision = has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending';
  return `${decision}${has('Failed') ? ',Failed' : ''}${status.certificate ? ',Issued' : ''}`;
}

const { column } = columnsOf<V1CertificateSigningRequest>();

export const certificateSigningRequestKind = defineKind(certificatesigningrequests, {
  onCreate(request, { user }) {
    request.spec ??= {};
    const { spec } = request;
    // Who asks is what the server knows, whatever the client says.
    spec.username = user.name;
    if (user.uid === undefined) delete spec.uid;
    else spec.uid = user.uid;
    spec.groups = [...user.groups];
    if (user.extra)
      spec.extra = Object.fromEntries(Object.entries(user.extra).map(([key, values]) => [key, [...values]]));
    else delete spec.extra;
  },
  onUpdate(next, old) {
    if (old.spec) next.spec = old.spec;
  },
  validateName: pathName,
  validate: validateRequest,
  validateUpdate: (next, old) => immutable(next.spec, old.spec, 'spec'),
  onStatusUpdate(next, old, context) {
    // Decisions stay as they are: only `approval` makes them.
    const kept = (old.status?.conditions ?? []).filter((it) => decisions.includes(it.type ?? ''));
    const others = (next.status?.conditions ?? []).filter((it) => !decisions.includes(it.type ?? ''));
    next.status ??= {};
    if (kept.length + others.length > 0) next.status.conditions = [...kept, ...others];
    stampConditions(next, old, context);
  },
  validateStatus: (next, old) =>
    validateChange(next as unknown as KubeObject, old as unknown as KubeObject, false).filter(
      (error) => !error.field.startsWith('metadata'),
    ),
  subresources: {
    approval: {
      prepareForUpdate(next, old, context) {
        const draft = asLoose<V1CertificateSigningRequest>(next);
        const before = asLoose<V1CertificateSigningRequest>(old);
        const conditions = draft.status?.conditions;
        next['spec'] = (old as Draft)['spec'];
        draft.status = { ...before.status, ...(conditions && { conditions }) };
        if (!semanticEqual(conditions, before.status?.conditions)) stampConditions(draft, before, context);
      },
      validateUpdate: (next, old) => validateChange(next, old, true),
    },
  },
  selectableFields: { 'spec.signerName': (it) => it.spec?.signerName ?? '' },
  columns: [
    nameColumn,
    ageColumn,
    column('SignerName', 'The requested signer.', (it) => it.spec?.signerName || '<none>'),
    column('Requestor', 'The name of the user that created the request.', (it) => it.spec?.username ?? ''),
    column('RequestedDuration', 'The requested duration of validity.', (it) =>
      it.spec?.expirationSeconds === undefined ? '<none>' : humanDuration(it.spec.expirationSeconds * 1000),
    ),
    column('Condition', 'Approval, failure and issue.', conditionText),
  ],
});
