import { pods } from '../../../api/generated/resources.ts';
import type { V1PersistentVolumeClaim } from '../../../api/generated/types.ts';
import { claimLines } from './claim-lines.ts';
import type { Describer } from './describer.ts';
import { ownEvents } from './events.ts';
import { moment } from './page.ts';

export const describePersistentVolumeClaim: Describer<V1PersistentVolumeClaim> = async (page, object, around) => {
  const { metadata, status } = object;
  claimLines(page, object, 0, around.now);
  const { items } = await around.client.list(pods, metadata.namespace ? { namespace: metadata.namespace } : {});
  const owners = new Set(metadata.ownerReferences?.filter((one) => one.kind === 'Pod').map((one) => one.uid));
  const users = items.filter(
    (pod) =>
      owners.has(pod.metadata.uid) ||
      pod.spec?.volumes?.some((volume) => volume.persistentVolumeClaim?.claimName === metadata.name),
  );
  page.list('Used By', users.map((pod) => pod.metadata.name).sort());
  if (status?.conditions?.length) {
    page.line(0, 'Conditions:');
    page.line(1, 'Type', 'Status', 'LastProbeTime', 'LastTransitionTime', 'Reason', 'Message');
    page.line(1, '----', '------', '-----------------', '------------------', '------', '-------');
    for (const one of status.conditions) {
      const times = [`${moment(one.lastProbeTime)} `, `${moment(one.lastTransitionTime)} `];
      page.line(1, `${one.type} `, `${one.status} `, ...times, `${one.reason ?? ''} `, one.message ?? '');
    }
  }
  await ownEvents(page, object, around);
};
