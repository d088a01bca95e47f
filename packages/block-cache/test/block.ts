import type { BlockCache, CachedFile, Sized } from '../src/index.js'

export interface Block extends Sized {
  readonly name: string
}

export function block(name: string, memoryBytes: number): Block {
  return { name, memoryBytes }
}

/** Loads a block as a reader does: load, use what came, look again at the next use. */
export async function use(
  file: CachedFile<Block>,
  slot: number,
  bytes: number,
): Promise<'hit' | 'miss'> {
  if (file.peek(slot) !== undefined) return 'hit'
  await file.load(slot, async () => block(`${file.id}/${slot}`, bytes))
  file.peek(slot)
  return 'miss'
}

export function within(cache: BlockCache): boolean {
  const { usedBytes, pinnedBytes, reservedBytes } = cache.stats()
  return usedBytes <= Math.max(cache.bytes, pinnedBytes + reservedBytes)
}
