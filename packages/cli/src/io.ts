import type { Env } from '@firn/env'

/** Everything outside the command line that it uses, so that tests can replace it. */
export interface Io {
  readonly stdin: Input
  readonly stdout: Sink
  readonly stderr: Sink
  /** Environment variables: `FIRN_DB`, `FIRN_DEBUG`, `NO_COLOR`, `FORCE_COLOR`, `TERM`. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Relative paths start here. */
  readonly cwd: string
  /** Clocks. Default: the system's. */
  readonly clock?: Env
  /**
   * Calls the listener once when the user asks the command to stop (Ctrl-C), instead of ending the
   * process. Returns a function that removes the listener. If this is absent, the user never asks.
   */
  readonly onInterrupt?: (listener: () => void) => () => void
}

export interface Input extends AsyncIterable<Uint8Array> {
  readonly isTTY: boolean
  /**
   * Called when the command needs no more input: waiting for it must not keep the process alive.
   */
  close?(): void
}

export interface Sink {
  readonly isTTY: boolean
  /** Width of the terminal, `undefined` if it isn't a terminal. */
  readonly columns: number | undefined
  /** Resolves when more may be written. Rejects with `BrokenPipeError` if the reader has gone. */
  write(data: string | Uint8Array): Promise<void>
}

/** The reader of our output has gone, as `head` does when it has read enough. */
export class BrokenPipeError extends Error {
  constructor() {
    super('the reader of the output has gone')
    this.name = 'BrokenPipeError'
  }
}
