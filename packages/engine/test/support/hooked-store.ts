import type { ObjectStore } from '@firn/object-store'
import { overriding } from './overriding.js'

/** A store that does something before its next upload begins. */
export function hooked(base: ObjectStore): {
  store: ObjectStore
  before: (work: () => Promise<unknown>) => void
} {
  let hook: (() => Promise<unknown>) | undefined
  const store = overriding<ObjectStore>(base, {
    upload: async (...args: Parameters<ObjectStore['upload']>) => {
      const work = hook
      hook = undefined
      await work?.()
      return base.upload(...args)
    },
  })
  return {
    store,
    before: (work) => {
      hook = work
    },
  }
}
