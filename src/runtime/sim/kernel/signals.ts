/** Signal numbers of Linux on amd64 (signal(7)). */
export const signalNumbers = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ILL: 4,
  TRAP: 5,
  ABRT: 6,
  BUS: 7,
  FPE: 8,
  KILL: 9,
  USR1: 10,
  SEGV: 11,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
  STKFLT: 16,
  CHLD: 17,
  CONT: 18,
  STOP: 19,
  TSTP: 20,
  TTIN: 21,
  TTOU: 22,
  URG: 23,
  XCPU: 24,
  XFSZ: 25,
  VTALRM: 26,
  PROF: 27,
  WINCH: 28,
  IO: 29,
  PWR: 30,
  SYS: 31,
} as const;

export type Signal = keyof typeof signalNumbers;

const byNumber = new Map<number, Signal>(
  (Object.keys(signalNumbers) as Signal[]).map((signal) => [signalNumbers[signal], signal]),
);

/** Reads `TERM`, `SIGTERM`, `term`, `15`; real-time signals (`SIGRTMIN+3`) are taken as TERM would be. */
export function parseSignal(text: string): Signal | undefined {
  if (/^\d+$/.test(text)) return byNumber.get(Number(text));
  const name = text.toUpperCase().replace(/^SIG/, '');
  if (Object.hasOwn(signalNumbers, name)) return name as Signal;
  if (name === 'POLL') return 'IO';
  if (name === 'IOT') return 'ABRT';
  return /^RTM(IN|AX)([+-]\d+)?$/.test(name) ? 'TERM' : undefined;
}

/** What happens where no handler is set. */
export function defaultAction(signal: Signal): 'terminate' | 'ignore' | 'stop' | 'continue' {
  switch (signal) {
    case 'CHLD':
    case 'URG':
    case 'WINCH':
      return 'ignore';
    case 'CONT':
      return 'continue';
    case 'STOP':
    case 'TSTP':
    case 'TTIN':
    case 'TTOU':
      return 'stop';
    default:
      return 'terminate';
  }
}
