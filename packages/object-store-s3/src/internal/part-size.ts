const MIB = 2 ** 20

/** S3's limits. https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
export const MIN_PART_BYTES: number = 5 * MIB
export const MAX_PART_BYTES: number = 5 * 2 ** 30
export const MAX_PARTS = 10_000

/** Marks options of a store whose server is a test server that accepts parts of any size. */
export const SMALL_PARTS: unique symbol = Symbol('small parts')

/** The smallest `partBytes` that a store with these options accepts. */
export function leastPartBytes(options: object): number {
  return SMALL_PARTS in options ? 1 : MIN_PART_BYTES
}

// Some compatible services want all parts but the last to have one size. Up to here they do.
const PARTS_OF_ONE_SIZE = 1000
// The smallest growth, in whole KiB, with which 10,000 parts hold 5 TiB if the first has 5 MiB.
const GROWTH_BYTES = 132 * 2 ** 10

/**
 * Returns the size of a part, counted from 1. After the first thousand, each part is 132 KiB larger
 * than the one before, so that 10,000 parts hold the largest object, 5 TiB. No part then has more
 * than 1.2 GiB; with doubling, parts would have several.
 */
export function partSize(number: number, firstBytes: number): number {
  const grown = firstBytes + Math.max(0, number - PARTS_OF_ONE_SIZE) * GROWTH_BYTES
  return Math.min(grown, MAX_PART_BYTES)
}
