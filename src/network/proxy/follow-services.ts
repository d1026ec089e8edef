import { endpointslices, services } from '../../api/generated/resources.ts';
import type { InformerSet } from '../../client/informer.ts';
import type { ServiceMap } from './service-map.ts';

/** Keeps a service map true to the cluster. `onChange` comes after each change. Returns a function that stops it. */
export function followServices(informers: InformerSet, map: ServiceMap, onChange: () => void): () => void {
  const stops = [
    informers.informer(services).subscribe({
      add(service) {
        map.setService(service);
        onChange();
      },
      update(service) {
        map.setService(service);
        onChange();
      },
      remove(service) {
        map.removeService(service.metadata.namespace ?? '', service.metadata.name);
        onChange();
      },
    }),
    informers.informer(endpointslices).subscribe({
      add(slice) {
        map.setSlice(slice);
        onChange();
      },
      update(slice) {
        map.setSlice(slice);
        onChange();
      },
      remove(slice) {
        map.removeSlice(slice.metadata.namespace ?? '', slice.metadata.name);
        onChange();
      },
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
