import type { IncomingMessage } from 'node:http';
import { type FieldError, forbiddenField, invalid } from '../../api/field-error.ts';
import { badRequest, invalidObject, type StatusError, statusError } from '../../api/status.ts';
import type { ConnectHandler, KubeletDialer } from '../contracts.ts';
import { askBackend } from './backend.ts';
import { chooseContainer, flag, podOf } from './pods.ts';

/** How much of a refusal's text is taken into the Status. */
const maxErrorBytes = 2048;

function numberOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  if (!/^-?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

/** The kubelet's query for the client's, checked as pkg/apis/core/validation ValidatePodLogOptions does. */
export function logQuery(query: URLSearchParams, podName: string): URLSearchParams {
  const params = new URLSearchParams();
  for (const name of ['follow', 'previous', 'timestamps']) if (flag(query, name)) params.set(name, 'true');
  const errors: FieldError[] = [];
  const tail = numberOf(query, 'tailLines');
  const limit = numberOf(query, 'limitBytes');
  const seconds = numberOf(query, 'sinceSeconds');
  const since = query.get('sinceTime') ?? '';
  const stream = query.get('stream') ?? 'All';
  if (tail !== undefined && tail < 0) errors.push(invalid('tailLines', tail, 'must be greater than or equal to 0'));
  if (limit !== undefined && limit < 1) errors.push(invalid('limitBytes', limit, 'must be greater than 0'));
  if (seconds !== undefined && since !== '') {
    errors.push(forbiddenField('', 'at most one of `sinceTime` or `sinceSeconds` may be specified'));
  } else if (seconds !== undefined && seconds < 1) {
    errors.push(invalid('sinceSeconds', seconds, 'must be greater than 0'));
  }
  if (!['All', 'Stdout', 'Stderr'].includes(stream)) {
    errors.push({
      type: 'FieldValueNotSupported',
      field: 'stream',
      badValue: stream,
      detail: 'supported values: "All", "Stderr", "Stdout"',
    });
  }
  if (tail !== undefined && stream !== 'All') {
    errors.push(forbiddenField('', '`tailLines` and specific `stream` are mutually exclusive for now'));
  }
  if (errors.length > 0) throw invalidObject('', 'PodLogOptions', podName, errors);
  if (seconds !== undefined) params.set('sinceSeconds', String(seconds));
  if (since !== '') params.set('sinceTime', since);
  if (tail !== undefined) params.set('tailLines', String(tail));
  if (limit !== undefined) params.set('limitBytes', String(limit));
  params.set('stream', stream);
  return params;
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer) {
    const bytes = Buffer.from(chunk);
    chunks.push(bytes);
    size += bytes.length;
    if (size >= maxErrorBytes) break;
  }
  return Buffer.concat(chunks).subarray(0, maxErrorBytes).toString('utf8');
}

/** What a kubelet's refusal becomes (apimachinery's NewGenericServerResponse; 400 keeps the kubelet's own words). */
async function refusalOf(answer: IncomingMessage, podName: string): Promise<StatusError> {
  const code = answer.statusCode ?? 500;
  const text = await textOf(answer);
  if (code === 400) return badRequest(text);
  const where = `( pods/log ${podName})`;
  const details = {
    name: podName,
    kind: 'pods/log',
    causes: [{ reason: 'UnexpectedServerResponse', message: text }],
  };
  if (code === 404) {
    return statusError(404, 'NotFound', `the server could not find the requested resource ${where}`, details);
  }
  if (code >= 500) {
    const message = `an error on the server (${JSON.stringify(text)}) has prevented the request from succeeding ${where}`;
    return statusError(code, code === 503 ? 'ServiceUnavailable' : 'InternalError', message, details);
  }
  return statusError(
    code,
    '',
    `the server responded with the status code ${code} but did not return more information ${where}`,
    details,
  );
}

/** `pods/log`: streams a container's log from its node as it comes. */
export function logsHandler(kubelets: KubeletDialer): ConnectHandler {
  return async ({ request, response, namespace, name, query }, context) => {
    if (!response) throw badRequest('the log cannot be read over an upgraded connection');
    const pod = podOf(context, namespace, name);
    const container = chooseContainer(pod, query.get('container') ?? '');
    const params = logQuery(query, name);
    const node = pod.spec?.nodeName;
    if (!node) {
      response.writeHead(200, { 'content-type': 'text/plain' });
      response.end();
      return;
    }
    const path = `/containerLogs/${namespace}/${name}/${container}?${params.toString()}`;
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    let answer: IncomingMessage;
    let host = node;
    try {
      const backend = await kubelets.dial(node);
      host = backend.host;
      answer = await askBackend(backend, { method: 'GET', path, headers: {}, signal: gone.signal });
    } catch (error) {
      if (gone.signal.aborted) return;
      const why = error instanceof Error ? error.message : String(error);
      throw statusError(500, '', `Get ${JSON.stringify(`https://${host}${path}`)}: ${why}`);
    }
    if ((answer.statusCode ?? 500) >= 300) {
      const refusal = await refusalOf(answer, name);
      answer.destroy();
      throw refusal;
    }
    response.writeHead(200, { 'content-type': 'text/plain' });
    response.flushHeaders?.();
    await new Promise<void>((resolve) => {
      const done = (): void => {
        answer.destroy();
        resolve();
      };
      answer.on('error', () => response.end());
      answer.once('end', () => response.end());
      response.once('close', done);
      response.once('finish', done);
      answer.pipe(response, { end: false });
    });
    request.resume();
  };
}
