/** Facts that belong to a log line. Never secrets. */
export type LogFields = Readonly<Record<string, unknown>>;
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger whose lines carry `fields` too. */
  with(fields: LogFields): Logger;
}

const rank: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

const show = (value: unknown): string => {
  if (value instanceof Error) return JSON.stringify(value.message);
  return typeof value === 'string' && /^[\w./:@-]+$/.test(value) ? value : (JSON.stringify(value) ?? 'undefined');
};

/** Writes `LEVEL message key=value …` lines of at least `level` to `write`. */
export function lineLogger(level: LogLevel, write: (line: string) => void, base: LogFields = {}): Logger {
  const log = (at: LogLevel, message: string, fields: LogFields = {}): void => {
    if (rank[at] < rank[level]) return;
    const pairs = Object.entries({ ...base, ...fields }).map(([key, value]) => ` ${key}=${show(value)}`);
    write(`${at.toUpperCase().padEnd(5)} ${message}${pairs.join('')}`);
  };
  return {
    debug: (message, fields) => log('debug', message, fields),
    info: (message, fields) => log('info', message, fields),
    warn: (message, fields) => log('warn', message, fields),
    error: (message, fields) => log('error', message, fields),
    with: (fields) => lineLogger(level, write, { ...base, ...fields }),
  };
}

/** Drops every line. */
export const silentLogger: Logger = lineLogger('error', () => undefined);
