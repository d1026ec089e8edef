import type { V1PodTemplateSpec, V1Toleration, V1TopologySpreadConstraint } from '../../../api/generated/types.ts';
import { containers } from './containers.ts';
import { selectorText } from './describer.ts';
import { annotationLines, type Page, pairs } from './page.ts';
import { volumes } from './volumes.ts';

function tolerationText({ key = '', value, effect, operator, tolerationSeconds }: V1Toleration): string {
  const what = `${key}${value ? `=${value}` : ''}${effect ? `:${effect}` : ''}`;
  const exists = operator === 'Exists' && !value ? `${key || effect ? ' ' : ''}op=Exists` : '';
  return `${what}${exists}${tolerationSeconds === undefined ? '' : ` for ${tolerationSeconds}s`}`;
}

export function tolerations(page: Page, all: readonly V1Toleration[] | undefined, indent = ''): void {
  const sorted = [...(all ?? [])].sort((a, b) => ((a.key ?? '') < (b.key ?? '') ? -1 : Number(a.key !== b.key)));
  page.list('Tolerations', sorted.map(tolerationText), indent);
}

export function spreadConstraints(
  page: Page,
  all: readonly V1TopologySpreadConstraint[] | undefined,
  indent = '',
): void {
  if (!all?.length) return;
  const sorted = [...all].sort((a, b) =>
    a.topologyKey < b.topologyKey ? -1 : Number(a.topologyKey !== b.topologyKey),
  );
  const lines = sorted.map(({ topologyKey, whenUnsatisfiable, maxSkew, labelSelector }) => {
    const whom = labelSelector ? ` for selector ${selectorText(labelSelector, '<none>')}` : '';
    return `${topologyKey}:${whenUnsatisfiable} when max skew ${maxSkew} is exceeded${whom}`;
  });
  page.list('Topology Spread Constraints', lines, indent, indent);
}

/** The pod template of a workload. */
export function podTemplate(page: Page, template: V1PodTemplateSpec | undefined): void {
  const { metadata, spec } = template ?? {};
  page.line(0, 'Pod Template:');
  page.list('Labels', pairs(metadata?.labels), '  ');
  if (Object.keys(metadata?.annotations ?? {}).length > 0)
    page.list('Annotations', annotationLines(metadata?.annotations), '  ');
  if (spec?.serviceAccountName) page.line(1, 'Service Account:', spec.serviceAccountName);
  if (spec?.initContainers?.length) containers(page, 'Init Containers', spec.initContainers, { indent: '  ' });
  containers(page, 'Containers', spec?.containers, { indent: '  ' });
  volumes(page, spec?.volumes, '  ');
  spreadConstraints(page, spec?.topologySpreadConstraints, '  ');
  if (spec?.priorityClassName) page.line(1, 'Priority Class Name:', spec.priorityClassName);
  page.list('Node-Selectors', pairs(spec?.nodeSelector), '  ');
  tolerations(page, spec?.tolerations, '  ');
}
