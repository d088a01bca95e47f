const MIB = 2 ** 20

/** S3's limits. https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
export const MIN_PART_BYTES: number = 5 * MIB
export const MAX_PART_BYTES: number = 5 * 2 ** 30
export const MAX_PARTS = 10_000

/** Marks options of a store whose server is a test's, and takes parts of any size. */
export const SMALL_PARTS: unique symbol = Symbol('small parts')

/** The least that parts may have in a store of these options. */
export function leastPartBytes(options: object): number {
  return SMALL_PARTS in options ? 1 : MIN_PART_BYTES
}

// Some of S3's relatives want all parts but the last of one size; up to here they are.
const PARTS_OF_ONE_SIZE = 1000
// The least growth, in whole KiB, with which 10,000 parts from 5 MiB on hold 5 TiB.
const GROWTH_BYTES = 132 * 2 ** 10

/**
 * The bytes of a part, counted from 1. After the first thousand, each is 132 KiB larger than the
 * one before: so 10,000 hold the 5 TiB of the largest object, and none has more than 1.2 GiB, where
 * doubling would come to several.
 */
export function partSize(number: number, firstBytes: number): number {
  const grown = firstBytes + Math.max(0, number - PARTS_OF_ONE_SIZE) * GROWTH_BYTES
  return Math.min(grown, MAX_PART_BYTES)
}
