import type { Writable } from 'node:stream'
import { SingleBar } from 'cli-progress'
import type { Sink, Terminal } from './terminal.js'
import { count } from './units.js'

/** The progress of a long task: a bar on a terminal, a few plain lines elsewhere. */
export interface Progress {
  update(done: number): void
  stop(): void
}

const PLAIN_LINES = 4

export function startProgress(terminal: Terminal, total: number, what: string): Progress {
  if (terminal.sink.isTTY === true) return bar(terminal.sink, total, what)
  return plainLines(terminal, total, what)
}

function bar(sink: Sink, total: number, what: string): Progress {
  const single = new SingleBar({
    format: `  {bar} {percentage} %  {value} of {total} ${what}`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 32,
    hideCursor: true,
    clearOnComplete: true,
    // Only a terminal gets here, and a terminal is a stream.
    stream: sink as Writable,
  })
  single.start(total, 0)
  return { update: (done) => single.update(done), stop: () => single.stop() }
}

function plainLines(terminal: Terminal, total: number, what: string): Progress {
  let next = total / PLAIN_LINES
  return {
    update(done) {
      if (done < next && done < total) return
      terminal.note(`${count(done)} of ${count(total)} ${what}`)
      while (next <= done) next += total / PLAIN_LINES
    },
    stop() {},
  }
}
