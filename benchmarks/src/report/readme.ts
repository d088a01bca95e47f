import { readFileSync, writeFileSync } from 'node:fs'

/** Replaces what stands between `<!-- name:start -->` and `<!-- name:end -->` of a file. */
export function replaceSection(path: string, name: string, content: string): void {
  const text = readFileSync(path, 'utf8')
  const start = `<!-- ${name}:start -->`
  const end = `<!-- ${name}:end -->`
  const from = text.indexOf(start)
  const to = text.indexOf(end)
  if (from === -1 || to < from) throw new Error(`${path} has no section ${start} … ${end}`)
  const before = text.slice(0, from + start.length)
  writeFileSync(path, `${before}\n${content.trimEnd()}\n${text.slice(to)}`)
}
