import { type FileHandle, open } from 'node:fs/promises'
import type { SstSource } from '@firn/sst'
import { CommandError } from '../errors.js'

/** Opens a file of this machine for the SST reader; `close` closes it. */
export async function openFileSource(path: string): Promise<SstSource> {
  const handle = await open(path, 'r')
  const status = await handle.stat()
  if (!status.isFile()) {
    await handle.close()
    throw new CommandError('FIRN_BAD_INPUT', `${path} is not a file; name an .sst file`)
  }
  return {
    read: (offset, length) => readRange(handle, offset, length),
    async readTail(length) {
      const { size } = await handle.stat()
      const start = Math.max(0, size - length)
      return { bytes: await readRange(handle, start, size - start), size }
    },
    close: () => handle.close(),
  }
}

async function readRange(handle: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  let read = 0
  while (read < length) {
    const { bytesRead } = await handle.read(bytes, read, length - read, offset + read)
    // The reader decides what a short read means.
    if (bytesRead === 0) return bytes.subarray(0, read)
    read += bytesRead
  }
  return bytes
}
