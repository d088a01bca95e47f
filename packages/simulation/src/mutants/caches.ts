import type { Mutant } from './mutant.js'

/** In the cache on a disk, of which nothing may be noticed whatever becomes of it. */
export const CACHES: readonly Mutant[] = [
  {
    name: 'cached-piece-unchecked',
    bug: 'A piece in the cache on disk is not held against its checksum, and stays when it is damaged.',
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
    bug: 'Whoever reads is told when the disk of the cache fails.',
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
    bug: 'What can’t be put on the disk of the cache is an error that nobody waits for.',
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
    bug: 'What is evicted from the cache on disk is not counted any more, and stays there.',
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
    bug: 'Nobody removes what a crash left of pieces that were being written.',
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
    bug: 'A piece that is being written is evicted to make room, which it takes up all the same.',
    patches: [
      {
        module: 'block-cache/internal/disk/entry-index',
        from: 'if (!entry.written) continue;',
        to: '',
      },
    ],
  },
]
