/** A bug that is planted into Firn's built code while a process loads it. */
export interface Mutant {
  /** Unlike every other. */
  name: string
  /** What the program does wrong. */
  bug: string
  patches: readonly Patch[]
}

/** One text of a module in place of another one. */
export interface Patch {
  /** A module of a package of this workspace: 'engine/internal/commit/committer'. */
  module: string
  /** What stands there, once and no more, however it is spaced. */
  from: string
  to: string
}

/** Where a module's built code is, seen from this one or the built one of its name. */
export function urlOf(module: string): string {
  const [name, ...path] = module.split('/')
  return new URL(`../../../${name}/dist/${path.join('/')}.js`, import.meta.url).href
}

/** The code with its patches. Throws unless each of their texts is found exactly once. */
export function patched(code: string, patches: readonly Patch[]): string {
  return patches.reduce(withPatch, code)
}

function withPatch(code: string, { module, from, to }: Patch): string {
  const words = from.trim().split(/\s+/)
  const pattern = new RegExp(words.map(escaped).join('\\s+'), 'g')
  const found = code.match(pattern)?.length ?? 0
  if (found !== 1) throw new Error(`${module} has ${found} times, not once: ${from}`)
  return code.replace(pattern, () => to)
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}
