import type { V1DeviceClaim } from '../../api/generated/types.ts';
import type { Loose } from '../draft.ts';

interface Request {
  allocationMode?: string;
  count?: number;
}

function defaultRequest(request: Request): void {
  request.allocationMode ||= 'ExactCount';
  if (request.allocationMode === 'ExactCount') request.count ||= 1;
}

/** Defaults of a claim for devices, also where it stands in a template. */
export function defaultDevices(devices: Loose<V1DeviceClaim> | undefined): void {
  for (const { exactly, firstAvailable } of devices?.requests ?? []) {
    if (exactly) defaultRequest(exactly);
    for (const request of firstAvailable ?? []) defaultRequest(request);
  }
}
