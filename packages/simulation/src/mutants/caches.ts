import type { Mutant } from './mutant.js'

/** Bugs in the cache on a disk, whose state must never be noticed. */
export const CACHES: readonly Mutant[] = [
  {
    name: 'cached-piece-unchecked',
    bug: 'A piece in the disk cache is not checked against its checksum, and stays if it is damaged.',
    patches: [
      {
        module: 'block-cache/internal/disk/entry-format',
        from: 'reader.u32() === checksum(fileId, offset, content);',
        to: 'reader.u32() >= 0;',
      },
    ],
  },
  {
    name: 'cache-disk-fails-reads',
    bug: 'A reader gets an error when the disk of the cache fails.',
    patches: [
      {
        module: 'block-cache/disk-cache',
        from: 'entry.length); } catch { return undefined; }',
        to: 'entry.length); } catch (error) { throw error; }',
      },
    ],
  },
  {
    name: 'cache-disk-fails-writes',
    bug: 'A piece that can’t be written to the disk cache is an unhandled error.',
    patches: [
      {
        module: 'block-cache/disk-cache',
        from: 'this.#index.remove(entry); await this.#remove(temp);',
        to: "this.#index.remove(entry); throw new Error('the cache is full');",
      },
    ],
  },
  {
    name: 'evicted-piece-stays-on-disk',
    bug: 'A piece evicted from the disk cache is no longer counted, but stays on disk.',
    patches: [
      {
        module: 'block-cache/disk-cache',
        from: 'this.#evictions++; await this.#remove(this.#pathOf(oldest));',
        to: 'this.#evictions++;',
      },
    ],
  },
  {
    name: 'half-written-piece-stays-on-disk',
    bug: 'Half-written pieces that a crash left are never removed.',
    patches: [
      {
        module: 'block-cache/disk-cache',
        from: 'if (name.startsWith(TEMP_PREFIX)) await this.#remove(path);',
        to: '',
      },
    ],
  },
  {
    name: 'piece-evicted-while-written',
    bug: 'A piece that is still being written is evicted to make room, but still takes up its space.',
    patches: [
      {
        module: 'block-cache/internal/disk/entry-index',
        from: 'if (!entry.written) continue;',
        to: '',
      },
    ],
  },
]
