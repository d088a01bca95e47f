import { open } from 'node:fs/promises'
import { UsageError } from '../errors.js'
import type { Input } from '../io.js'

const CHUNK_BYTES = 256 * 1024

/** The input of a load: a stream that counts the bytes that were read. */
export interface InputFile {
  /** For messages. */
  readonly name: string
  /** `undefined` if the size isn't known, as for a pipe. */
  readonly bytes: number | undefined
  readonly bytesRead: number
  chunks(): AsyncIterable<Uint8Array>
  close(): Promise<void>
}

/** Opens a file by its absolute path. Throws the system's error if it can't be opened. */
export async function openInputFile(path: string, name: string): Promise<InputFile> {
  const handle = await open(path, 'r')
  const status = await handle.stat()
  if (status.isDirectory()) {
    await handle.close()
    throw new UsageError(`${name} is a directory; name a file, or - for stdin`)
  }
  let bytesRead = 0
  return {
    name,
    bytes: status.isFile() ? status.size : undefined,
    get bytesRead() {
      return bytesRead
    },
    async *chunks() {
      for (;;) {
        const chunk = await handle.read(new Uint8Array(CHUNK_BYTES), 0, CHUNK_BYTES, null)
        if (chunk.bytesRead === 0) return
        bytesRead += chunk.bytesRead
        yield chunk.buffer.subarray(0, chunk.bytesRead)
      }
    },
    close: () => handle.close(),
  }
}

export function stdinFile(stdin: Input): InputFile {
  let bytesRead = 0
  return {
    name: 'stdin',
    bytes: undefined,
    get bytesRead() {
      return bytesRead
    },
    async *chunks() {
      for await (const chunk of stdin) {
        bytesRead += chunk.length
        yield chunk
      }
    },
    close: async () => {},
  }
}
