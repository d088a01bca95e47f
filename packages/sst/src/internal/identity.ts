import { crc32, utf8Encode } from '@firn/bytes'

/**
 * Seeds of the checksums of one file: CRC-32 of its id, then of the offset at which the bytes
 * begin, so that bytes of another file or another place never pass for the right ones.
 */
export class FileIdentity {
  readonly fileId: string
  readonly #seed: number
  readonly #offset = new Uint8Array(8)

  constructor(fileId: string) {
    this.fileId = fileId
    this.#seed = crc32(utf8Encode(fileId))
  }

  /** The seed for what begins at `offset`. */
  seed(offset: number): number {
    const bytes = this.#offset
    let low = offset >>> 0
    let high = Math.floor(offset / 2 ** 32)
    for (let i = 0; i < 4; i++) {
      bytes[i] = low
      bytes[i + 4] = high
      low >>>= 8
      high >>>= 8
    }
    return crc32(bytes, this.#seed)
  }
}
