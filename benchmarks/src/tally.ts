import { type Dataset, KEY_BYTES } from './dataset.js'

/** One row of this many is compared byte by byte; all are counted and summed. */
const SAMPLE_EVERY = 4099

interface Sample {
  row: number
  key: Uint8Array
  value: Uint8Array
}

/**
 * What a workload read: every row or value is counted and some of its bytes are touched, so that a
 * peer that returned lazy or wrong data would be found out. Comparing with the dataset's own tally
 * happens outside the measured time.
 */
export class Tally {
  rows = 0
  bytes = 0
  /** Order-independent, so that concurrent reads add up to the same. */
  sum = 0
  readonly samples: Sample[] = []

  value(value: Uint8Array): void {
    const last = value.length - 1
    this.rows++
    this.bytes += value.length
    this.sum = (this.sum + (value[0] as number) * 256 + (value[last] as number)) | 0
  }

  row(key: Uint8Array, value: Uint8Array): void {
    if (this.rows % SAMPLE_EVERY === 0) {
      this.samples.push({ row: this.rows, key: key.slice(), value: value.slice() })
    }
    this.bytes += key.length
    this.sum = (this.sum + (key[KEY_BYTES - 1] as number) * 65_536) | 0
    this.value(value)
  }

  /** Throws unless both hold the same rows, bytes, sums and samples. */
  expect(expected: Tally, what: string): void {
    for (const field of ['rows', 'bytes', 'sum'] as const) {
      if (this[field] !== expected[field]) {
        throw new Error(`${what}: ${field} is ${this[field]}, not ${expected[field]}`)
      }
    }
    for (const [i, sample] of this.samples.entries()) {
      const other = expected.samples[i]
      const same =
        other !== undefined &&
        Buffer.compare(sample.key, other.key) === 0 &&
        Buffer.compare(sample.value, other.value) === 0
      if (!same) throw new Error(`${what}: row ${sample.row} is not the one that was written`)
    }
  }
}

/** The tally of reading the values of these records. */
export function tallyOfValues(data: Dataset, indices: Iterable<number>): Tally {
  const tally = new Tally()
  for (const index of indices) tally.value(data.value(index))
  return tally
}

/** The tally of scanning the whole dataset. */
export function tallyOfScan(data: Dataset, reverse: boolean): Tally {
  const tally = new Tally()
  for (let i = 0; i < data.count; i++) {
    const index = reverse ? data.count - 1 - i : i
    tally.row(data.key(index), data.value(index))
  }
  return tally
}
