import { syncBuiltinESMExports } from 'node:module'
import { trapSystemEnv } from '@firn/env/testing'
import { Violation } from './violation.js'

type Uses = [owner: object, ownerName: string, names: readonly string[]]

/**
 * The real world's clocks, timers, randomness and files, which code must not use while a simulation
 * runs. `systemEnv` took its own when it was loaded, and is trapped separately.
 */
const AMBIENT: readonly Uses[] = [
  [
    globalThis,
    'globalThis',
    ['setTimeout', 'setInterval', 'setImmediate', 'fetch', 'MessageChannel', 'BroadcastChannel'],
  ],
  [Math, 'Math', ['random']],
  [Date, 'Date', ['now']],
  [Reflect.get(globalThis, 'performance'), 'performance', ['now']],
  [process, 'process', ['hrtime']],
  [Reflect.get(globalThis, 'crypto'), 'crypto', ['getRandomValues', 'randomUUID']],
  builtin('node:crypto', [
    'randomBytes',
    'randomFill',
    'randomFillSync',
    'randomInt',
    'randomUUID',
  ]),
  builtin('node:timers', ['setTimeout', 'setInterval', 'setImmediate']),
  builtin('node:timers/promises', ['setTimeout', 'setInterval', 'setImmediate']),
  // Leaves out the functions with which Node loads modules.
  builtin('node:fs', [
    ...['open', 'read', 'write', 'writev', 'fsync', 'fdatasync', 'ftruncate', 'readdir', 'mkdir'],
    ...['rename', 'unlink', 'link', 'fstat', 'lstat', 'openSync', 'readdirSync', 'mkdirSync'],
    ...['renameSync', 'unlinkSync', 'linkSync', 'writeFileSync', 'fdatasyncSync'],
  ]),
  builtin('node:fs/promises', ['open', 'readdir', 'mkdir', 'rename', 'rm', 'writeFile']),
]

let allowed = 0

/**
 * Allows calls into the real world for the simulation itself. `use` must be done when it returns.
 */
export function outside<T>(use: () => T): T {
  allowed++
  try {
    return use()
  } finally {
    allowed--
  }
}

/**
 * From now on, code that reads a clock, draws a random number, sets a timer or opens a file of the
 * real world gets a `Violation`. `onLeak` gets it too, because the code may catch it. Returns a
 * function that ends the trap.
 */
export function trapAmbientWorld(onLeak: (violation: Violation) => void): () => void {
  const restores: (() => void)[] = []
  const leak = (name: string): Violation => {
    const violation = new Violation(`ambient world: ${name} was used; take it from the Env`)
    onLeak(violation)
    return violation
  }
  const replace = (owner: object, name: string, value: unknown): void => {
    const own = Object.getOwnPropertyDescriptor(owner, name)
    Object.defineProperty(owner, name, { value, configurable: true, writable: true })
    restores.push(() => {
      if (own === undefined) Reflect.deleteProperty(owner, name)
      else Object.defineProperty(owner, name, own)
    })
  }
  for (const [owner, ownerName, names] of AMBIENT) {
    for (const name of names) {
      const original = Reflect.get(owner, name) as (...args: unknown[]) => unknown
      replace(owner, name, function trapped(this: unknown, ...args: unknown[]): unknown {
        if (allowed === 0) throw leak(`${ownerName}.${name}`)
        return Reflect.apply(original, this, args)
      })
    }
  }
  replace(globalThis, 'Date', trappedDate(leak))
  restores.push(
    trapSystemEnv((name) => {
      if (allowed === 0) throw leak(`systemEnv.${name}`)
    }),
  )
  syncBuiltinESMExports()
  return () => {
    for (const restore of restores.reverse()) restore()
    syncBuiltinESMExports()
  }
}

function builtin(name: string, names: readonly string[]): Uses {
  return [process.getBuiltinModule(name) as object, name, names]
}

/** `Date`, except for the current time. */
function trappedDate(leak: (name: string) => Violation): DateConstructor {
  return new Proxy(Date, {
    apply: () => {
      throw leak('Date()')
    },
    construct: (target, args, newTarget) => {
      if (args.length === 0) throw leak('new Date()')
      return Reflect.construct(target, args, newTarget)
    },
  })
}
