import { podtemplates } from '../../api/generated/resources.ts';
import type { V1PodTemplate } from '../../api/generated/types.ts';
import { containerImages, containerNames } from '../apps/workload.ts';
import { columnsOf, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { formatLabels } from '../labels.ts';
import { defaultPodTemplate } from './pod-defaults.ts';
import { validatePodTemplate } from './pod-validation.ts';
import { podTemplateWarnings } from './pod-warnings.ts';

const { column } = columnsOf<V1PodTemplate>();

export const podTemplateKind = defineKind(podtemplates, {
  defaults: (it) => {
    it.template ??= {};
    defaultPodTemplate(it.template);
  },
  hasGeneration: true,
  validate: (it) => validatePodTemplate(it.template ?? {}, 'template'),
  warnings: (it) => podTemplateWarnings(it.template, 'template'),
  columns: [
    nameColumn,
    column('Containers', 'Names of each container in the template.', (it) =>
      containerNames(it.template?.spec?.containers),
    ),
    column('Images', 'Images referenced by each container in the template.', (it) =>
      containerImages(it.template?.spec?.containers),
    ),
    column('Pod Labels', 'The labels for the pod template.', (it) => formatLabels(it.template?.metadata?.labels)),
  ],
});
