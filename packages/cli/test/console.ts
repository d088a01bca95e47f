import { join } from 'node:path'
import { tempDirectory } from '@firn/test-support'
import { beforeEach } from 'vitest'
import { BrokenPipeError, type Io, run, type Sink } from '../src/index.js'

/** What a run of the command line did. */
export interface Ran {
  status: number
  out: string
  err: string
  /** stdout byte by byte. */
  bytes: Uint8Array
}

export interface RunOptions {
  stdin?: string | Uint8Array | AsyncIterable<Uint8Array>
  /** Whether a person sits at a terminal of so many columns. */
  columns?: number
  env?: Record<string, string>
  /** stdout's reader leaves after so many writes. */
  breakAfter?: number
  /** Given the listener that Ctrl-C would call. */
  onInterrupt?: (interrupt: () => void) => void
}

/** A directory of its own for each test, and the command line in it. */
export class Console {
  directory = ''

  async firn(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
    const out = new Recorder(options)
    const err = new Recorder({ ...options, breakAfter: undefined })
    const io: Io = {
      stdin: stdinOf(options),
      stdout: out,
      stderr: err,
      env: options.env ?? {},
      cwd: this.directory,
      ...(options.onInterrupt === undefined
        ? {}
        : {
            onInterrupt: (listener: () => void) => {
              options.onInterrupt?.(listener)
              return () => {}
            },
          }),
    }
    const status = await run(args, io)
    return { status, out: out.text, err: err.text, bytes: out.bytes }
  }

  /** Runs a command that must succeed without a word on stderr; gives its output. */
  async ok(args: readonly string[], options: RunOptions = {}): Promise<string> {
    const ran = await this.firn(args, options)
    if (ran.status !== 0 || (ran.err !== '' && options.columns === undefined)) {
      throw new Error(`firn ${args.join(' ')}: status ${ran.status}: ${ran.err}`)
    }
    return ran.out
  }

  path(...parts: string[]): string {
    return join(this.directory, ...parts)
  }
}

/** A console in a fresh directory for every test of the file. */
export function makeConsole(): Console {
  const console = new Console()
  beforeEach(() => {
    console.directory = tempDirectory()
  })
  return console
}

class Recorder implements Sink {
  readonly isTTY: boolean
  readonly columns: number | undefined
  readonly #breakAfter: number
  #chunks: Uint8Array[] = []

  constructor({ columns, breakAfter }: { columns?: number; breakAfter?: number | undefined }) {
    this.isTTY = columns !== undefined
    this.columns = columns
    this.#breakAfter = breakAfter ?? Number.POSITIVE_INFINITY
  }

  async write(data: string | Uint8Array): Promise<void> {
    if (this.#chunks.length >= this.#breakAfter) throw new BrokenPipeError()
    this.#chunks.push(typeof data === 'string' ? new TextEncoder().encode(data) : data.slice())
  }

  get bytes(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.#chunks))
  }

  get text(): string {
    return new TextDecoder().decode(this.bytes)
  }
}

function stdinOf({ stdin, columns }: RunOptions): Io['stdin'] {
  const chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array> =
    stdin === undefined
      ? []
      : typeof stdin === 'string'
        ? [new TextEncoder().encode(stdin)]
        : stdin instanceof Uint8Array
          ? [stdin]
          : stdin
  return {
    isTTY: stdin === undefined && columns !== undefined,
    async *[Symbol.asyncIterator]() {
      yield* chunks
    },
  }
}

/** Output lines as JSON documents. */
export function jsonLines(text: string): unknown[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown)
}
