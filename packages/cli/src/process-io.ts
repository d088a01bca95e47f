import { fstatSync, type Stats, writeSync } from 'node:fs'
import { UsageError } from './errors.js'
import { BrokenPipeError, type Input, type Io, type Sink } from './io.js'

/** Exit status of a process that Ctrl-C ended, by the shells' convention: 128 + SIGINT. */
export const INTERRUPTED_STATUS = 130

/** The process's own streams, environment and signals. */
export function processIo(): Io {
  return {
    stdin: processInput(),
    stdout: statusOf(1)?.isFile() === true ? fileSink(1) : streamSink(process.stdout),
    stderr: streamSink(process.stderr),
    env: process.env,
    // Read only if needed: an absolute path doesn't need it.
    get cwd() {
      return workingDirectory()
    },
    onInterrupt,
  }
}

function workingDirectory(): string {
  try {
    return process.cwd()
  } catch (cause) {
    throw new UsageError(
      'the working directory no longer exists; change to another one, or use absolute paths',
      { cause },
    )
  }
}

function processInput(): Input {
  let reading = false
  return {
    isTTY: process.stdin.isTTY === true,
    [Symbol.asyncIterator]() {
      // Node reads a directory as an empty stream.
      if (statusOf(0)?.isDirectory() === true) {
        throw new UsageError('stdin is a directory; redirect it from a file')
      }
      reading = true
      return process.stdin[Symbol.asyncIterator]()
    },
    close() {
      if (reading) process.stdin.destroy()
    },
  }
}

function statusOf(fd: number): Stats | undefined {
  try {
    return fstatSync(fd)
  } catch {
    // Closed, for example by `>&-`.
    return undefined
  }
}

/**
 * A sink for a file. If a write is cut short because the disk is nearly full, Node's own stream for
 * a file treats it as complete.
 */
function fileSink(fd: number): Sink {
  return {
    isTTY: false,
    columns: undefined,
    async write(data) {
      const bytes = typeof data === 'string' ? Buffer.from(data) : data
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
    },
  }
}

function streamSink(stream: NodeJS.WriteStream): Sink {
  // A failed write reports through its callback. Without a listener, the event would end the
  // process with a stack trace.
  stream.on('error', () => {})
  return {
    isTTY: stream.isTTY === true,
    get columns() {
      return stream.columns
    },
    write: (data) =>
      new Promise((resolve, reject) => {
        stream.write(data, (error) => {
          if (error === null || error === undefined) resolve()
          else reject(isBrokenPipe(error) ? new BrokenPipeError() : error)
        })
      }),
  }
}

function isBrokenPipe(error: NodeJS.ErrnoException): boolean {
  // A write after the stream broke fails with ERR_STREAM_DESTROYED.
  return error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED'
}

/** Calls the listener at the first Ctrl-C; a second one ends the process at once. */
function onInterrupt(listener: () => void): () => void {
  let asked = false
  const handle = () => {
    if (asked) process.exit(INTERRUPTED_STATUS)
    asked = true
    listener()
  }
  process.on('SIGINT', handle)
  process.on('SIGTERM', handle)
  return () => {
    process.off('SIGINT', handle)
    process.off('SIGTERM', handle)
  }
}
