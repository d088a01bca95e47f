import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * The bytes of objects and of arrays' buffers that this thread has and hasn't let go of yet: the
 * difference around a call is what the call took, except for what was collected meanwhile.
 */
export function takenBytes(): number {
  const { used_heap_size, external_memory } = getHeapStatistics()
  return used_heap_size + external_memory
}

let collect: (() => void) | undefined

/** Lets go of everything that nobody holds, so that a call after it is measured alone. */
export function collectGarbage(): void {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc') as () => void
  }
  collect()
}
