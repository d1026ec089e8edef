/** What curl is asked to do. */
export interface CurlOptions {
  urls: string[];
  silent: boolean;
  showError: boolean;
  outputs: string[];
  outputDir?: string;
  remoteName: boolean;
  writeOut?: string;
  include: boolean;
  head: boolean;
  fail: boolean;
  failWithBody: boolean;
  follow: boolean;
  maxRedirects: number;
  method?: string;
  body?: { text: string; file?: string; binary: boolean }[];
  json: boolean;
  form: string[];
  headers: string[];
  agent?: string;
  user?: string;
  cookie?: string;
  verbose: boolean;
  insecure: boolean;
  cacert?: string;
  cert?: string;
  key?: string;
  maxTimeMs: number;
  connectTimeoutMs: number;
  retry: number;
  retryDelay?: number;
  retryRefused: boolean;
  retryAll: boolean;
  resolve: string[];
  connectTo: string[];
  version: boolean;
}

const shorts: Readonly<Record<string, string>> = {
  s: 'silent',
  S: 'show-error',
  o: 'output',
  O: 'remote-name',
  w: 'write-out',
  i: 'include',
  I: 'head',
  f: 'fail',
  L: 'location',
  X: 'request',
  d: 'data',
  F: 'form',
  H: 'header',
  A: 'user-agent',
  u: 'user',
  b: 'cookie',
  v: 'verbose',
  k: 'insecure',
  E: 'cert',
  m: 'max-time',
  V: 'version',
  G: 'get',
  '4': 'ipv4',
  '6': 'ipv6',
  x: 'proxy',
  T: 'upload-file',
  N: 'no-buffer',
  g: 'globoff',
  e: 'referer',
  c: 'cookie-jar',
  q: 'disable',
  '0': 'http1.0',
  h: 'help',
  '#': 'progress-bar',
};
const flags = new Set(
  'silent show-error remote-name include head fail fail-with-body location verbose insecure version get ipv4 ipv6 no-buffer globoff disable http1.0 http1.1 http2 compressed no-progress-meter progress-bar retry-connrefused retry-all-errors create-dirs no-keepalive path-as-is tcp-nodelay no-sessionid haproxy-protocol help'.split(
    ' ',
  ),
);
const valued = new Set(
  'output output-dir write-out request data data-raw data-binary data-urlencode data-ascii json form header user-agent user cookie cookie-jar cert key cacert capath max-time connect-timeout retry retry-delay retry-max-time max-redirs resolve connect-to proxy noproxy upload-file referer url limit-rate interface ciphers keepalive-time speed-limit speed-time oauth2-bearer'.split(
    ' ',
  ),
);

/** Reads curl's words. `problem` says what is wrong with them. */
export function readCurlOptions(args: readonly string[]): CurlOptions | { readonly problem: string } {
  const o: CurlOptions = {
    urls: [],
    silent: false,
    showError: false,
    outputs: [],
    remoteName: false,
    include: false,
    head: false,
    fail: false,
    failWithBody: false,
    follow: false,
    maxRedirects: 50,
    json: false,
    form: [],
    headers: [],
    verbose: false,
    insecure: false,
    maxTimeMs: 0,
    connectTimeoutMs: 0,
    retry: 0,
    retryRefused: false,
    retryAll: false,
    resolve: [],
    connectTo: [],
    version: false,
  };
  let get = false;
  const queue = [...args];
  const apply = (name: string, value: string): void => {
    const data = (text: string, binary: boolean, raw = false): void => {
      o.body ??= [];
      o.body.push(!raw && text.startsWith('@') ? { text: '', file: text.slice(1), binary } : { text, binary });
    };
    switch (name) {
      case 'silent':
        o.silent = true;
        break;
      case 'show-error':
        o.showError = true;
        break;
      case 'no-progress-meter':
        o.silent = o.silent || false;
        break;
      case 'output':
        o.outputs.push(value);
        break;
      case 'output-dir':
        o.outputDir = value;
        break;
      case 'remote-name':
        o.remoteName = true;
        break;
      case 'write-out':
        o.writeOut = value;
        break;
      case 'include':
        o.include = true;
        break;
      case 'head':
        o.head = true;
        break;
      case 'fail':
        o.fail = true;
        break;
      case 'fail-with-body':
        o.failWithBody = true;
        break;
      case 'location':
        o.follow = true;
        break;
      case 'max-redirs':
        o.maxRedirects = Number(value);
        break;
      case 'request':
        o.method = value;
        break;
      case 'data':
      case 'data-ascii':
        data(value, false);
        break;
      case 'data-raw':
        data(value, true, true);
        break;
      case 'data-binary':
        data(value, true);
        break;
      case 'data-urlencode':
        data(
          value.includes('=')
            ? `${value.slice(0, value.indexOf('='))}=${encodeURIComponent(value.slice(value.indexOf('=') + 1))}`
            : encodeURIComponent(value),
          true,
          true,
        );
        break;
      case 'json':
        data(value, true);
        o.json = true;
        break;
      case 'upload-file':
        o.body = [{ text: '', file: value, binary: true }];
        o.method ??= 'PUT';
        break;
      case 'form':
        o.form.push(value);
        break;
      case 'header':
        o.headers.push(value);
        break;
      case 'oauth2-bearer':
        o.headers.push(`Authorization: Bearer ${value}`);
        break;
      case 'referer':
        o.headers.push(`Referer: ${value}`);
        break;
      case 'user-agent':
        o.agent = value;
        break;
      case 'user':
        o.user = value;
        break;
      case 'cookie':
        o.cookie = value;
        break;
      case 'verbose':
        o.verbose = true;
        break;
      case 'insecure':
        o.insecure = true;
        break;
      case 'cacert':
        o.cacert = value;
        break;
      case 'cert':
        o.cert = value;
        break;
      case 'key':
        o.key = value;
        break;
      case 'max-time':
        o.maxTimeMs = Number(value) * 1000;
        break;
      case 'connect-timeout':
        o.connectTimeoutMs = Number(value) * 1000;
        break;
      case 'retry':
        o.retry = Number(value);
        break;
      case 'retry-delay':
        o.retryDelay = Number(value);
        break;
      case 'retry-connrefused':
        o.retryRefused = true;
        break;
      case 'retry-all-errors':
        o.retryAll = true;
        break;
      case 'resolve':
        o.resolve.push(value);
        break;
      case 'connect-to':
        o.connectTo.push(value);
        break;
      case 'url':
        o.urls.push(value);
        break;
      case 'version':
        o.version = true;
        break;
      case 'get':
        get = true;
        break;
      default:
    }
  };
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    if (word === '-' || !word.startsWith('-')) o.urls.push(word);
    else if (word.startsWith('--')) {
      const name = word.slice(2);
      if (flags.has(name) || flags.has(name.replace(/^no-/, ''))) apply(name, '');
      else if (valued.has(name)) {
        const value = queue.shift();
        if (value === undefined) return { problem: `option --${name}: requires parameter` };
        if (/^(max-time|connect-timeout|retry|retry-delay|max-redirs)$/.test(name) && Number.isNaN(Number(value)))
          return { problem: `option --${name}: expected a proper numerical parameter` };
        apply(name, value);
      } else return { problem: `option ${word}: is unknown` };
    } else {
      for (let i = 1; i < word.length; i++) {
        const name = shorts[word[i] ?? ''];
        if (name === undefined) return { problem: `option ${word}: is unknown` };
        if (flags.has(name)) {
          apply(name, '');
          continue;
        }
        const value = i + 1 < word.length ? word.slice(i + 1) : queue.shift();
        if (value === undefined) return { problem: `option ${word}: requires parameter` };
        if (/^(max-time|connect-timeout)$/.test(name) && Number.isNaN(Number(value)))
          return { problem: `option ${word}: expected a proper numerical parameter` };
        apply(name, value);
        break;
      }
    }
  }
  if (get && o.body) {
    const query = o.body.map(({ text }) => text).join('&');
    o.urls = o.urls.map((url) => `${url}${url.includes('?') ? '&' : '?'}${query}`);
    delete o.body;
    o.method ??= 'GET';
  }
  if (o.json) o.headers.unshift('Content-Type: application/json');
  return o;
}
