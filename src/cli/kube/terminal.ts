import type { Streams } from '../output.ts';

/** Standard input that is a terminal, as Node gives it. */
interface TerminalInput extends NodeJS.ReadableStream {
  readonly isTTY?: boolean;
  setRawMode?(raw: boolean): unknown;
}
interface TerminalOutput extends NodeJS.WritableStream {
  readonly columns?: number;
  readonly rows?: number;
}

export interface TerminalSize {
  readonly Width: number;
  readonly Height: number;
}

/** The user's terminal while a session has it: keys come unprocessed, size changes are told. */
export interface Terminal {
  size(): TerminalSize | undefined;
  onResize(listener: () => void): void;
  /** Gives it back as it was. */
  restore(): void;
}

export const isTerminal = (streams: Streams): boolean => (streams.stdin as TerminalInput).isTTY === true;

/** Takes the terminal over. Call `restore` whatever happens. */
export function takeTerminal(streams: Streams): Terminal {
  const input = streams.stdin as TerminalInput;
  const output = streams.stdout as TerminalOutput;
  const listeners: (() => void)[] = [];
  input.setRawMode?.(true);
  return {
    size: () => (output.columns && output.rows ? { Width: output.columns, Height: output.rows } : undefined),
    onResize: (listener) => {
      listeners.push(listener);
      output.on('resize', listener);
    },
    restore: () => {
      input.setRawMode?.(false);
      for (const listener of listeners) output.removeListener('resize', listener);
    },
  };
}
