import type { V1EndpointSlice, V1Endpoints } from '../../../api/generated/types.ts';
import { type Describer, heading, labelsAndAnnotations } from './describer.ts';
import { ownEvents } from './events.ts';
import { orNone, orUnset } from './page.ts';

export const describeEndpoints: Describer<V1Endpoints> = async (page, object, around) => {
  heading(page, object.metadata);
  labelsAndAnnotations(page, object.metadata);
  page.line(0, 'Subsets:');
  for (const { addresses, notReadyAddresses, ports } of object.subsets ?? []) {
    page.line(1, 'Addresses:', orNone(addresses?.map((one) => one.ip).join(',')));
    page.line(1, 'NotReadyAddresses:', orNone(notReadyAddresses?.map((one) => one.ip).join(',')));
    if (ports?.length) {
      page.line(1, 'Ports:');
      page.line(2, 'Name', 'Port', 'Protocol');
      page.line(2, '----', '----', '--------');
      for (const port of ports) page.line(2, orUnset(port.name), port.port, port.protocol ?? '');
    }
    page.line(0, '');
  }
  await ownEvents(page, object, around);
};

export const describeEndpointSlice: Describer<V1EndpointSlice> = async (page, object, around) => {
  heading(page, object.metadata);
  labelsAndAnnotations(page, object.metadata);
  page.line(0, 'AddressType:', object.addressType);
  if (!object.ports?.length) page.line(0, 'Ports: <unset>');
  else {
    page.line(0, 'Ports:');
    page.line(1, 'Name', 'Port', 'Protocol');
    page.line(1, '----', '----', '--------');
    for (const port of object.ports) page.line(1, orUnset(port.name), orUnset(port.port), port.protocol ?? '');
  }
  if (!object.endpoints?.length) page.line(0, 'Endpoints: <none>');
  else page.line(0, 'Endpoints:');
  for (const { addresses, conditions, hostname, targetRef, nodeName, zone } of object.endpoints ?? []) {
    page.line(1, '- Addresses:', orNone(addresses.join(', ')));
    page.line(2, 'Conditions:');
    page.line(3, 'Ready:', orUnset(conditions?.ready));
    page.line(2, 'Hostname:', hostname ?? '<unset>');
    if (targetRef) page.line(2, 'TargetRef:', `${targetRef.kind}/${targetRef.name}`);
    page.line(2, 'NodeName:', nodeName ?? '<unset>');
    page.line(2, 'Zone:', zone ?? '<unset>');
  }
  await ownEvents(page, object, around);
};
