import { ingressclasses, ingresses, services } from '../../../api/generated/resources.ts';
import { fromAbsence, fromSpec, listed, namesIn } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { nearestOne } from '../../text/nearest.ts';
import { serviceExample } from './services.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of snapshot.all(ingresses)) {
    const namespace = it.metadata?.namespace ?? 'default';
    const ref = { kind: 'Ingress', namespace, name: it.metadata?.name ?? '' };
    const remedy = (says: string, near: string | undefined) => ({
      says: near ? `Write ${near}.` : says,
      commands: [`kubectl describe ingress ${ref.name} -n ${namespace}`],
    });
    const className = it.spec?.ingressClassName;
    if (
      className &&
      snapshot.lacks(ingressclasses, className) &&
      (snapshot.stage === 'live' || snapshot.all(ingressclasses).length > 0)
    ) {
      const names = snapshot.all(ingressclasses).map((c) => c.metadata?.name ?? '');
      const near = nearestOne(className, names) ?? (names.length === 1 ? names[0] : undefined);
      yield {
        subject: ref,
        says: `The Ingress ${ref.name} is for the class ${className}, which does not exist${near ? ` (did you mean ${near}?)` : ''}: no controller takes it.`,
        evidence: [
          fromSpec(ref, `ingressClassName: ${className}`, 'spec.ingressClassName'),
          fromAbsence({ kind: 'IngressClass', name: className }, listed(names)),
        ],
        cause: `class/${className}`,
        field: { object: ref, path: 'spec.ingressClassName' },
        remedy: remedy('Use a class that exists, or install its controller.', near),
      };
    }
    const backends = [
      ...(it.spec?.defaultBackend ? [{ backend: it.spec.defaultBackend, path: 'spec.defaultBackend' }] : []),
      ...(it.spec?.rules ?? []).flatMap((rule, i) =>
        (rule.http?.paths ?? []).map((p, j) => ({
          backend: p.backend,
          path: `spec.rules[${i}].http.paths[${j}].backend`,
        })),
      ),
    ];
    for (const { backend, path } of backends) {
      const name = backend.service?.name;
      if (!name) continue;
      const service = snapshot.get(services, name, namespace);
      const port = backend.service?.port;
      if (!service && !snapshot.lacks(services, name, namespace)) continue;
      const fits = service?.spec?.ports?.some((p) =>
        port?.number !== undefined ? p.port === port.number : p.name === port?.name,
      );
      if (service && fits) continue;
      const near = service ? undefined : nearestOne(name, namesIn(snapshot, services, namespace));
      yield {
        subject: ref,
        says: service
          ? `The Ingress ${ref.name} sends to port ${port?.number ?? port?.name} of Service ${name}, which has only ${(service.spec?.ports ?? []).map((p) => `${p.port}${p.name ? ` (${p.name})` : ''}`).join(', ')}.`
          : `The Ingress ${ref.name} sends to the Service ${name}, which does not exist${near ? ` (did you mean ${near}?)` : ''}.`,
        evidence: [
          fromSpec(ref, `service: ${name}, port: ${port?.number ?? port?.name}`, path),
          ...(service
            ? []
            : [fromAbsence({ kind: 'Service', namespace, name }, listed(namesIn(snapshot, services, namespace)))]),
        ],
        cause: `${namespace}/${ref.name}/${name}/${port?.number ?? port?.name}`,
        field: { object: ref, path },
        remedy: remedy(service ? 'Use a port that the Service has.' : 'Create the Service, or correct its name.', near),
      };
    }
  }
}

const ingress = (service: string, port: number): string =>
  `\n---\nkind: Ingress\nmetadata: {name: web}\nspec: {rules: [{host: a.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: ${service}, port: {number: ${port}}}}}]}}]}\n`;
const service = serviceExample('web', 'ports: [{port: 80, name: http}]');

export const ingressBackendMissing: Rule = {
  id: 'ingress-backend-missing',
  title: 'The Ingress points to nothing',
  phase: 'network',
  codes: ['NET-20', 'NET-21'],
  symptoms: ['503 Service Temporarily Unavailable', '404', 'no ADDRESS'],
  severity: 'error',
  lint: 'set',
  rank: 88,
  meaning: 'An Ingress names a class (which controller), a Service and one of its ports. One of them is not there.',
  tell: '`kubectl describe ingress` shows `<error: endpoints … not found>` for the backend; no ADDRESS for a class that does not exist.',
  fix: 'Correct the name or port.',
  sick: [
    { when: 'the Service is misspelt', yaml: service + ingress('wbe', 80), says: 'did you mean web' },
    { when: 'the Service has another port', yaml: service + ingress('web', 8080), says: 'has only 80' },
  ],
  healthy: [{ when: 'Service and port are there', yaml: service + ingress('web', 80) }],
  fault: {
    manifest:
      '\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web}\nspec: {rules: [{host: a.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: nobody, port: {number: 80}}}}]}}]}\n',
    runtimes: ['sim', 'containerd'],
    fixable: false,
  },
  check,
};
