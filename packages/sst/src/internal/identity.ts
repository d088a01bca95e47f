import { crc32, utf8Encode } from '@firn/bytes'

/**
 * Computes the checksum seeds of one file: CRC-32 of its id, then of a block's offset. So bytes of
 * another file or offset don't match the checksum.
 */
export class FileIdentity {
  readonly fileId: string
  readonly #seed: number
  readonly #offset = new Uint8Array(8)

  constructor(fileId: string) {
    this.fileId = fileId
    this.#seed = crc32(utf8Encode(fileId))
  }

  /** The seed for the block at `offset`. */
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
