import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * Returns the bytes of objects and array buffers that this thread has and hasn't freed. The
 * difference around a call is the memory that the call took, minus what was collected meanwhile.
 */
export function takenBytes(): number {
  const { used_heap_size, external_memory } = getHeapStatistics()
  return used_heap_size + external_memory
}

let collect: (() => void) | undefined

/** Frees all garbage, so that the next call is measured alone. */
export function collectGarbage(): void {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc') as () => void
  }
  collect()
}
