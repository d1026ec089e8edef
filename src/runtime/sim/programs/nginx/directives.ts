import { ConfError, type Directive } from './parse-conf.ts';

type Context = 'main' | 'events' | 'http' | 'server' | 'location' | 'upstream' | 'stream';

/** Where directives may stand and how many words they take: the simulated nginx acts on these. */
const known: Readonly<
  Record<string, { readonly in: readonly Context[]; readonly args: readonly [number, number]; readonly block?: true }>
> = {
  events: { in: ['main'], args: [0, 0], block: true },
  http: { in: ['main'], args: [0, 0], block: true },
  server: { in: ['http', 'upstream'], args: [0, 9] },
  location: { in: ['server', 'location'], args: [1, 2], block: true },
  upstream: { in: ['http'], args: [1, 1], block: true },
  listen: { in: ['server'], args: [1, 9] },
  server_name: { in: ['server'], args: [1, 99] },
  root: { in: ['http', 'server', 'location'], args: [1, 1] },
  alias: { in: ['location'], args: [1, 1] },
  index: { in: ['http', 'server', 'location'], args: [1, 99] },
  return: { in: ['server', 'location'], args: [1, 2] },
  try_files: { in: ['server', 'location'], args: [2, 99] },
  proxy_pass: { in: ['location'], args: [1, 1] },
  proxy_set_header: { in: ['http', 'server', 'location'], args: [2, 2] },
  proxy_connect_timeout: { in: ['http', 'server', 'location'], args: [1, 1] },
  proxy_read_timeout: { in: ['http', 'server', 'location'], args: [1, 1] },
  add_header: { in: ['http', 'server', 'location'], args: [2, 3] },
  error_page: { in: ['http', 'server', 'location'], args: [2, 99] },
  autoindex: { in: ['http', 'server', 'location'], args: [1, 1] },
  default_type: { in: ['http', 'server', 'location'], args: [1, 1] },
  client_max_body_size: { in: ['http', 'server', 'location'], args: [1, 1] },
  access_log: { in: ['http', 'server', 'location'], args: [1, 9] },
  error_log: { in: ['main', 'http', 'server', 'location'], args: [1, 2] },
  log_format: { in: ['http'], args: [2, 99] },
  stub_status: { in: ['server', 'location'], args: [0, 1] },
  allow: { in: ['http', 'server', 'location'], args: [1, 1] },
  deny: { in: ['http', 'server', 'location'], args: [1, 1] },
  server_tokens: { in: ['http', 'server', 'location'], args: [1, 1] },
  rewrite: { in: ['server', 'location'], args: [2, 3] },
  set: { in: ['server', 'location'], args: [2, 2] },
  internal: { in: ['location'], args: [0, 0] },
  worker_processes: { in: ['main'], args: [1, 1] },
  daemon: { in: ['main'], args: [1, 1] },
  user: { in: ['main'], args: [1, 2] },
  pid: { in: ['main'], args: [1, 1] },
  types: { in: ['http', 'server', 'location'], args: [0, 0], block: true },
};

/** Understood and without effect here: they tune what the simulation does not have. */
const quiet = new Set(
  'worker_connections multi_accept use accept_mutex sendfile tcp_nopush tcp_nodelay keepalive_timeout keepalive_requests keepalive types_hash_max_size types_hash_bucket_size server_names_hash_bucket_size server_names_hash_max_size gzip gzip_types gzip_vary gzip_min_length gzip_proxied gzip_comp_level gzip_disable gzip_buffers gzip_http_version worker_rlimit_nofile master_process charset expires etag open_file_cache client_body_buffer_size client_header_buffer_size large_client_header_buffers client_body_timeout client_header_timeout send_timeout reset_timedout_connection proxy_http_version proxy_buffering proxy_buffer_size proxy_buffers proxy_busy_buffers_size proxy_send_timeout proxy_redirect proxy_cache_bypass proxy_request_buffering proxy_next_upstream proxy_intercept_errors log_not_found resolver resolver_timeout merge_slashes client_body_temp_path proxy_temp_path fastcgi_temp_path uwsgi_temp_path scgi_temp_path absolute_redirect port_in_redirect server_name_in_redirect zone least_conn ip_hash max_fails chunked_transfer_encoding env timer_resolution worker_shutdown_timeout ignore_invalid_headers underscores_in_headers real_ip_header set_real_ip_from client_body_in_file_only pcre_jit variables_hash_bucket_size proxy_headers_hash_max_size proxy_headers_hash_bucket_size map_hash_bucket_size map_hash_max_size'.split(
    ' ',
  ),
);

/** Real directives whose work the simulation does not do: refused, as acting otherwise than told would mislead. */
const beyond = new Set(
  'ssl_certificate ssl_certificate_key ssl_protocols ssl_ciphers ssl_session_cache ssl_prefer_server_ciphers ssl_session_timeout fastcgi_pass fastcgi_param uwsgi_pass grpc_pass auth_basic auth_basic_user_file auth_request limit_req limit_req_zone limit_conn limit_conn_zone proxy_cache proxy_cache_path proxy_cache_valid map geo split_clients sub_filter stream load_module js_import perl mail if http2 http3 proxy_ssl_verify mirror memcached_pass'.split(
    ' ',
  ),
);

const contexts: Readonly<Record<string, Context>> = {
  events: 'events',
  http: 'http',
  server: 'server',
  location: 'location',
  upstream: 'upstream',
};

/** Checks names, places and numbers of words. Throws ConfError with nginx's texts. */
export function checkDirectives(directives: readonly Directive[], context: Context): void {
  for (const { name, args, file, line, block } of directives) {
    const at = `in ${file}:${line}`;
    if (quiet.has(name)) {
      if (args.length === 0 && name !== 'ip_hash' && name !== 'least_conn')
        throw new ConfError(`invalid number of arguments in "${name}" directive ${at}`);
      continue;
    }
    if (beyond.has(name)) throw new ConfError(`directive "${name}" is beyond what the simulated nginx does ${at}`);
    const rule = Object.hasOwn(known, name) ? known[name] : undefined;
    if (!rule) throw new ConfError(`unknown directive "${name}" ${at}`);
    if (!rule.in.includes(context)) throw new ConfError(`"${name}" directive is not allowed here ${at}`);
    const opens = rule.block === true || (name === 'server' && context === 'http');
    if (opens && !block) throw new ConfError(`directive "${name}" has no opening "{" ${at}`);
    if (!opens && block) throw new ConfError(`directive "${name}" is not terminated by ";" ${at}`);
    if (args.length < rule.args[0] || args.length > rule.args[1] || (name === 'server' && opens && args.length > 0))
      throw new ConfError(`invalid number of arguments in "${name}" directive ${at}`);
    if (block && name !== 'types') checkDirectives(block, contexts[name] ?? context);
  }
}
