import type { ObjectStore } from '@firn/object-store'

/** A store that does something before its next upload begins. */
export function hooked(base: ObjectStore): {
  store: ObjectStore
  before: (work: () => Promise<unknown>) => void
} {
  let hook: (() => Promise<unknown>) | undefined
  const store = new Proxy(base, {
    get(target, name) {
      const value = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      if (name !== 'upload') return value.bind(target)
      return async (...args: Parameters<ObjectStore['upload']>) => {
        const work = hook
        hook = undefined
        await work?.()
        return target.upload(...args)
      }
    },
  })
  return {
    store,
    before: (work) => {
      hook = work
    },
  }
}
