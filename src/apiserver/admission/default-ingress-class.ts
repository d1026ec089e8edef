import { ingressclasses } from '../../api/generated/resources.ts';
import type { V1Ingress } from '../../api/generated/types.ts';
import type { AdmissionPlugin, ServerContext } from '../contracts.ts';
import { draftOf, isFor } from './request.ts';
import { newestFirst } from './storage.ts';

/** Ingresses without a class get the default one (plugin/pkg/admission/network/defaultingressclass). */
export function defaultIngressClass(context: ServerContext): AdmissionPlugin {
  return {
    name: 'DefaultIngressClass',
    resources: ['ingresses.networking.k8s.io'],
    admit(request) {
      if (request.operation !== 'CREATE' || !isFor(request, 'networking.k8s.io', 'ingresses')) return;
      const ingress = draftOf<V1Ingress>(request);
      ingress.spec ??= {};
      if (ingress.spec.ingressClassName !== undefined) return;
      if (ingress.metadata?.annotations?.['kubernetes.io/ingress.class'] !== undefined) return;
      const [chosen] = context.reader
        .list(ingressclasses)
        .filter((known) => known.metadata.annotations?.['ingressclass.kubernetes.io/is-default-class'] === 'true')
        .sort(newestFirst);
      if (chosen) ingress.spec.ingressClassName = chosen.metadata.name;
    },
  };
}
