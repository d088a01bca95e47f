import type { Env } from '@firn/env'
import progress from 'cli-progress'
import type { Sink } from './io.js'
import { formatBytes, formatCount } from './text/quantities.js'

/**
 * Shows the progress of a long task on a terminal: bytes, and records if the task counts them. The
 * bar disappears when the task stops. Without a sink, nothing is drawn.
 */
export class ByteProgress {
  readonly #bar: progress.SingleBar | undefined
  readonly #clock: Env
  readonly #started: number

  /** `total` is the number of bytes in all, `undefined` if it isn't known. */
  constructor(sink: Sink | undefined, verb: string, total: number | undefined, clock: Env) {
    this.#clock = clock
    this.#started = clock.monotonic()
    if (sink === undefined) return
    this.#bar = new progress.SingleBar({
      stream: terminal(sink),
      clearOnComplete: true,
      hideCursor: true,
      barsize: 24,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      format: (options, { progress: share, value, eta }, { records }: Payload) => {
        const counted = records === '' ? '' : ` · ${records}`
        const amount = `${formatBytes(value)} ${verb}${counted}`
        if (total === undefined || total === 0) return amount
        const left = Number.isFinite(eta) && eta > 0 ? ` · ${eta} s left` : ''
        return `${progress.Format.BarFormat(share, options)} ${Math.floor(share * 100)} % · ${amount}${left}`
      },
    })
    this.#bar.start(total ?? 0, 0, { records: '' } satisfies Payload)
  }

  update(bytes: number, records?: number): void {
    if (this.#bar === undefined) return
    const seconds = Math.max(0.001, (this.#clock.monotonic() - this.#started) / 1000)
    const counted =
      records === undefined
        ? ''
        : `${formatCount(records)} records · ${formatCount(records / seconds)}/s`
    this.#bar.update(bytes, { records: counted } satisfies Payload)
  }

  stop(): void {
    this.#bar?.stop()
  }
}

interface Payload {
  records: string
}

/** Adapts a sink for cli-progress and node:readline. A write that fails is ignored. */
function terminal(sink: Sink): NodeJS.WritableStream {
  const write = (text: string): boolean => {
    sink.write(text).catch(() => {})
    return true
  }
  return {
    isTTY: true,
    get columns() {
      return sink.columns
    },
    write,
  } as unknown as NodeJS.WritableStream
}
