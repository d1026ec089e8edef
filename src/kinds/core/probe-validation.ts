import { type FieldError, forbiddenField, invalid, notSupported, required } from '../../api/field-error.ts';
import type { V1HTTPGetAction, V1Lifecycle, V1LifecycleHandler, V1Probe } from '../../api/generated/types.ts';
import { httpHeaderName, portName, portNumber } from '../../api/names.ts';
import { invalids, nonNegative, oneOf } from '../checks.ts';
import type { Loose } from '../draft.ts';

/** A port by number or by name. */
export function validatePort(port: number | string | undefined, path: string): FieldError[] {
  if (typeof port === 'string') return invalids(path, port, portName(port));
  return invalids(path, port ?? 0, portNumber(port ?? 0));
}

function validateHttpGet(action: Loose<V1HTTPGetAction>, path: string): FieldError[] {
  return [
    ...(action.path ? [] : [required(`${path}.path`)]),
    ...validatePort(action.port as number | string | undefined, `${path}.port`),
    ...(action.scheme === 'HTTP' || action.scheme === 'HTTPS'
      ? []
      : [notSupported(`${path}.scheme`, action.scheme ?? '', ['HTTP', 'HTTPS'])]),
    ...(action.httpHeaders ?? []).flatMap(({ name = '' }) =>
      invalids(`${path}.httpHeaders`, name, httpHeaderName(name)),
    ),
  ];
}

type Handler = Loose<V1LifecycleHandler> & Pick<Loose<V1Probe>, 'grpc'>;

function validateHandler(handler: Handler, path: string, grace: number | undefined): FieldError[] {
  const errors: FieldError[] = [];
  let count = 0;
  const only = (name: string, check: (at: string) => readonly FieldError[]): void => {
    const at = `${path}.${name}`;
    errors.push(...(count > 0 ? [forbiddenField(at, 'may not specify more than 1 handler type')] : check(at)));
    count++;
  };
  const { exec, httpGet, tcpSocket, grpc, sleep } = handler;
  if (exec) only('exec', (at) => (exec.command?.length ? [] : [required(`${at}.command`)]));
  if (httpGet) only('httpGet', (at) => validateHttpGet(httpGet, at));
  if (tcpSocket) only('tcpSocket', (at) => validatePort(tcpSocket.port as number | string | undefined, `${at}.port`));
  if (grpc) only('grpc', (at) => validatePort(grpc.port, `${at}.port`));
  if (sleep) {
    only('sleep', (at) => {
      const seconds = sleep.seconds ?? 0;
      if (grace === undefined || (seconds >= 0 && seconds <= grace)) return [];
      const detail = `must be non-negative and less than terminationGracePeriodSeconds (${grace})`;
      return [invalid(at, seconds, detail)];
    });
  }
  if (count === 0) errors.push(required(path, 'must specify a handler type'));
  return errors;
}

/** A liveness, readiness or startup probe. */
export function validateProbe(
  probe: Loose<V1Probe> | undefined,
  kind: 'liveness' | 'readiness' | 'startup',
  path: string,
  grace: number | undefined,
): FieldError[] {
  if (!probe) return [];
  const errors = [
    ...validateHandler(probe, path, grace),
    ...nonNegative(`${path}.initialDelaySeconds`, probe.initialDelaySeconds),
    ...nonNegative(`${path}.timeoutSeconds`, probe.timeoutSeconds),
    ...nonNegative(`${path}.periodSeconds`, probe.periodSeconds),
    ...nonNegative(`${path}.successThreshold`, probe.successThreshold),
    ...nonNegative(`${path}.failureThreshold`, probe.failureThreshold),
  ];
  const own = probe.terminationGracePeriodSeconds;
  const ownPath = `${path}.terminationGracePeriodSeconds`;
  if (own !== undefined && own <= 0) errors.push(invalid(ownPath, own, 'must be greater than 0'));
  if (kind === 'readiness') {
    if (own !== undefined) errors.push(invalid(ownPath, own, 'must not be set for readinessProbes'));
  } else if (probe.successThreshold !== 1) {
    errors.push(invalid(`${path}.successThreshold`, probe.successThreshold ?? 0, 'must be 1'));
  }
  return errors;
}

const windowsSignals = ['SIGKILL', 'SIGTERM'];
const linuxSignals = [
  ...'ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT'.split(' '),
  ...Array.from({ length: 14 }, (_, i) => `RTMAX-${i + 1}`),
  'RTMAX',
  ...Array.from({ length: 15 }, (_, i) => `RTMIN+${i + 1}`),
  'RTMIN',
  ...'SEGV STKFLT STOP SYS TERM TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ'.split(' '),
]
  .map((it) => `SIG${it}`)
  .sort();

/** postStart, preStop and the stop signal. */
export function validateLifecycle(
  lifecycle: Loose<V1Lifecycle> | undefined,
  path: string,
  grace: number | undefined,
  os: string | undefined,
): FieldError[] {
  if (!lifecycle) return [];
  const errors: FieldError[] = [];
  const { postStart, preStop, stopSignal } = lifecycle;
  if (postStart) errors.push(...validateHandler(postStart, `${path}.postStart`, grace));
  if (preStop) errors.push(...validateHandler(preStop, `${path}.preStop`, grace));
  if (stopSignal !== undefined) {
    const at = `${path}.stopSignal`;
    if (os === undefined) errors.push(forbiddenField(at, 'may not be set for containers with empty `spec.os.name`'));
    else if (os === 'windows') errors.push(...oneOf(at, stopSignal, windowsSignals));
    else if (os === 'linux') errors.push(...oneOf(at, stopSignal, linuxSignals));
  }
  return errors;
}
