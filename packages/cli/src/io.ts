import type { Env } from '@firn/env'

/** Everything of the outside world that the command line touches, so that tests can hand it in. */
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
   * process. Gives a function that takes the listener off. Absent: nobody ever asks.
   */
  readonly onInterrupt?: (listener: () => void) => () => void
}

export interface Input extends AsyncIterable<Uint8Array> {
  readonly isTTY: boolean
  /** Called when the command is done with it: waiting for more must not keep the process alive. */
  close?(): void
}

export interface Sink {
  readonly isTTY: boolean
  /** Width of the terminal; absent where it isn't one. */
  readonly columns: number | undefined
  /**
   * Resolves when more may be written. Rejects with `BrokenPipeError` when nobody reads any more.
   */
  write(data: string | Uint8Array): Promise<void>
}

/** Whoever read our output has gone, as `head` does when it has seen enough. */
export class BrokenPipeError extends Error {
  constructor() {
    super('the reader of the output has gone')
    this.name = 'BrokenPipeError'
  }
}
