import type { V1Pod, V1Secret } from '../../api/generated/types.ts';
import { exponentialBackoff } from '../../base/backoff.ts';
import type { Clock } from '../../base/clock.ts';
import type { ImageService, PodSandboxConfig } from '../../runtime/cri.ts';
import { errorMessage, goDuration, runtimeErrorText } from '../go-format.ts';
import { parseImageName, withDefaultTag } from './image-name.ts';
import { type Credential, lookupCredentials } from './keyring.ts';

/** Why a container cannot start: a reason of the API and a text for its status. */
export class StartFailure extends Error {
  override readonly name = 'StartFailure';
  readonly reason: string;
  /** When it is worth trying again, epoch milliseconds; undefined = no better guess. */
  readonly retryAt: number | undefined;
  constructor(reason: string, message: string, retryAt?: number) {
    super(message);
    this.reason = reason;
    this.retryAt = retryAt;
  }
}

export interface ImageRequest {
  readonly pod: V1Pod;
  readonly image: string;
  readonly policy: string | undefined;
  readonly secrets: readonly V1Secret[];
  readonly sandbox: PodSandboxConfig;
  readonly event: (type: 'Normal' | 'Warning', reason: string, message: string) => void;
}

export interface ImageManager {
  /** The image's id, pulled first where the policy wants it. Rejects with `StartFailure`. */
  ensure(request: ImageRequest): Promise<string>;
  /** When each image was last wanted by a pod, epoch milliseconds. */
  readonly lastUsed: ReadonlyMap<string, number>;
  forgetPod(uid: string): void;
}

/** Pulls one image at a time, with back-off for each pod and image. Upstream: pkg/kubelet/images/image_manager.go. */
export function imageManager(options: {
  readonly images: ImageService;
  readonly clock: Clock;
  readonly onPulled?: (pod: V1Pod, image: string, startedAt: number, error: string | undefined) => void;
}): ImageManager {
  const { images, clock } = options;
  const backoff = exponentialBackoff(clock, { initial: 10_000, max: 300_000 });
  const lastErrors = new Map<string, string>();
  const lastUsed = new Map<string, number>();
  /** Images that the kubelet pulled with credentials: which ones; an empty set = anybody may use it. */
  const pulledWith = new Map<string, Set<string>>();
  let queue: Promise<unknown> = Promise.resolve();

  const serially = <T>(work: () => Promise<T>): Promise<T> => {
    const next = queue.then(work, work);
    queue = next.catch(() => undefined);
    return next;
  };

  const pull = async (
    request: ImageRequest,
    image: string,
    credentials: readonly Credential[],
  ): Promise<{ ref: string; took: number; used: Credential | undefined }> => {
    const started = clock.now();
    if (credentials.length === 0)
      return {
        ref: await images.pullImage({ image }, undefined, request.sandbox),
        took: clock.now() - started,
        used: undefined,
      };
    const failures: string[] = [];
    for (const used of credentials) {
      try {
        return {
          ref: await images.pullImage({ image }, used.auth, request.sandbox),
          took: clock.now() - started,
          used,
        };
      } catch (error) {
        failures.push(runtimeErrorText(error));
      }
    }
    const distinct = [...new Set(failures)];
    throw new Error(distinct.length === 1 ? distinct[0] : `[${distinct.join(', ')}]`);
  };

  const classify = (image: string, message: string): StartFailure => {
    for (const [reason, words] of [
      ['RegistryUnavailable', 'the registry is unavailable'],
      ['SignatureValidationFailed', 'the signature validation failed'],
    ] as const) {
      const plain = message.replace(/^rpc error: code = \w+ desc = /, '');
      if (plain.startsWith(reason))
        return new StartFailure(reason, `image pull failed for ${image} because ${words}${plain.slice(reason.length)}`);
    }
    return new StartFailure('ErrImagePull', message);
  };

  return {
    lastUsed,
    forgetPod(uid) {
      for (const key of lastErrors.keys())
        if (key.startsWith(`${uid}_`)) {
          lastErrors.delete(key);
          backoff.reset(key);
        }
    },
    async ensure(request) {
      const { event, image: wanted } = request;
      let image: string;
      try {
        image = withDefaultTag(wanted);
      } catch (error) {
        const message = `Failed to apply default image tag ${JSON.stringify(wanted)}: ${errorMessage(error)}`;
        event('Warning', 'InspectFailed', message);
        throw new StartFailure('InvalidImageName', message);
      }
      const policy = request.policy ?? (parseImageName(wanted).tag === 'latest' ? 'Always' : 'IfNotPresent');
      const never = (): StartFailure => {
        const message = `Container image ${JSON.stringify(wanted)} is not present with pull policy of Never`;
        event('Warning', 'ErrImageNeverPull', message);
        return new StartFailure('ErrImageNeverPull', message);
      };
      const credentials = lookupCredentials(request.secrets, parseImageName(image).repository);
      if (policy !== 'Always') {
        let present: string | undefined;
        try {
          present = (await images.imageStatus({ image }))?.id;
        } catch (error) {
          const message = `Failed to inspect image "": ${runtimeErrorText(error)}`;
          event('Warning', 'InspectFailed', message);
          throw new StartFailure('ImageInspectError', message);
        }
        if (present === undefined && policy === 'Never') throw never();
        if (present !== undefined) {
          const owners = pulledWith.get(present);
          if (!owners || owners.size === 0 || credentials.some((it) => owners.has(it.hash))) {
            event(
              'Normal',
              'Pulled',
              `Container image ${JSON.stringify(wanted)} already present on machine and can be accessed by the pod`,
            );
            lastUsed.set(present, clock.now());
            return present;
          }
          if (policy === 'Never') throw never();
        }
      }
      const key = `${request.pod.metadata?.uid}_${wanted}`;
      if (backoff.waiting(key)) {
        const message = `Back-off pulling image ${JSON.stringify(wanted)}`;
        event('Normal', 'BackOff', message);
        const last = lastErrors.get(key);
        throw new StartFailure(
          'ImagePullBackOff',
          last === undefined ? message : `${message}: ${last}`,
          clock.now() + backoff.remaining(key),
        );
      }
      lastErrors.delete(key);
      event('Normal', 'Pulling', `Pulling image ${JSON.stringify(wanted)}`);
      const asked = clock.now();
      try {
        const { ref, took, used } = await serially(() => pull(request, image, credentials));
        const info = await images.imageStatus({ image });
        const id = info?.id ?? ref;
        const owners = pulledWith.get(id);
        if (!used) pulledWith.set(id, new Set());
        else if (owners === undefined) pulledWith.set(id, new Set([used.hash]));
        else if (owners.size > 0) owners.add(used.hash);
        event(
          'Normal',
          'Pulled',
          `Successfully pulled image ${JSON.stringify(wanted)} in ${goDuration(Math.trunc(took))} (${goDuration(
            Math.trunc(clock.now() - asked),
          )} including waiting). Image size: ${info?.sizeBytes ?? 0} bytes.`,
        );
        lastUsed.set(id, clock.now());
        options.onPulled?.(request.pod, wanted, asked, undefined);
        return id;
      } catch (error) {
        const message = runtimeErrorText(error);
        event('Warning', 'Failed', `Failed to pull image ${JSON.stringify(wanted)}: ${message}`);
        backoff.next(key);
        options.onPulled?.(request.pod, wanted, asked, message);
        const failure = classify(wanted, message);
        lastErrors.set(key, `${failure.reason}: ${failure.message}`);
        throw failure;
      }
    },
  };
}
