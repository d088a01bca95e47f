import type { Mutant } from './mutant.js'

/** Bugs in SSTs, and in the cache of their blocks. */
export const FILES: readonly Mutant[] = [
  {
    name: 'cache-key-without-file',
    bug: 'Blocks are cached by their number alone, without their file.',
    patches: [
      {
        module: 'sst/internal/open-file',
        from: 'blocks: cache.file(cacheId),',
        to: "blocks: cache.file('blocks'),",
      },
    ],
  },
  {
    name: 'block-checksum-unchecked',
    bug: 'A block is not checked against its checksum.',
    patches: [
      {
        module: 'sst/internal/envelope',
        from: 'if (checksum !== getU32(stored, checked)) {',
        to: 'if (checksum < 0) {',
      },
    ],
  },
  {
    name: 'filter-asks-once-too-often',
    bug: 'A filter checks one bit more than was set.',
    patches: [
      { module: 'sst/internal/filter', from: 'probe > 0; probe--', to: 'probe >= 0; probe--' },
    ],
  },
  {
    name: 'versions-over-two-blocks',
    bug: 'A version that is the first one of a block is looked up in the block before.',
    patches: [
      {
        module: 'sst/internal/index-block',
        from: 'timestamp <= this.timestamps[child];',
        to: 'timestamp < this.timestamps[child];',
      },
    ],
  },
]
