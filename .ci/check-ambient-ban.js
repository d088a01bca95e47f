// Proves that the linter finds every way to reach for ambient time, randomness and timers in a
// package's src, and finds none of them elsewhere: each way goes through it as a file of its own.
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'

const BANNED = [
  'export const x = Date.now()',
  'export const x = Date.now',
  'export const x = new Date()',
  'export const x = new Date',
  'export const x = Date()',
  'export const x = Math.random()',
  'export const x = performance.now()',
  'export const x = process.hrtime.bigint()',
  'export const x = setTimeout(() => {}, 1)',
  'export const x = setInterval(() => {}, 1)',
  'export const x = setImmediate(() => {})',
  'export const x = globalThis.setTimeout(() => {}, 1)',
  'export const x = crypto.randomUUID()',
  'export const x = crypto.getRandomValues(new Uint8Array(1))',
  'export const x = globalThis.crypto.randomUUID()',
  "import { randomUUID } from 'node:crypto'\nexport const x = randomUUID()",
  "import { setTimeout as later } from 'node:timers/promises'\nexport const x = later(1)",
  "import { performance as clock } from 'node:perf_hooks'\nexport const x = clock.now()",
]
const ALLOWED = [
  'export const x = new Date(0)',
  "export const x = new Date('2020-01-01')",
  'export const x = (date: Date): number => date.getTime()',
  "import { createHash } from 'node:crypto'\nexport const x = createHash('sha256')",
]

const biome = join(import.meta.dirname, 'node_modules/.bin/biome')
const root = realpathSync(mkdtempSync(join(tmpdir(), 'firn-ambient-')))
try {
  const config = JSON.parse(readFileSync(join(import.meta.dirname, '../biome.json'), 'utf8'))
  writeFileSync(join(root, 'biome.json'), JSON.stringify({ ...config, vcs: { enabled: false } }))
  cpSync(join(import.meta.dirname, '../.biome'), join(root, '.biome'), { recursive: true })

  const mustFind = BANNED.map((source, i) => write(`packages/probe/src/banned-${i}.ts`, source))
  const mustPass = [
    ...ALLOWED.map((source, i) => write(`packages/probe/src/allowed-${i}.ts`, source)),
    ...BANNED.map((source, i) => write(`packages/probe/test/banned-${i}.ts`, source)),
    ...BANNED.map((source, i) => write(`benchmarks/src/banned-${i}.ts`, source)),
    write('packages/env/src/env-system.ts', BANNED[0]),
  ]
  const args = ['lint', '--reporter=github', '--max-diagnostics=none', '--colors=off', '.']
  const { stdout } = spawnSync(biome, args, { cwd: root, encoding: 'utf8' })
  const found = new Set(
    [...stdout.matchAll(/^::error .*?file=([^,]+)/gm)].map(([, file]) => relative(root, file)),
  )
  const missed = mustFind.filter(({ path }) => !found.has(path))
  const wrong = mustPass.filter(({ path }) => found.has(path))
  for (const { path, source } of missed) console.error(`not found in ${path}: ${source}`)
  for (const { path, source } of wrong)
    console.error(`found in ${path}, where it is fine: ${source}`)
  if (missed.length + wrong.length > 0) process.exitCode = 1
  else console.log(`found ${mustFind.length} of ${mustFind.length}, let ${mustPass.length} pass`)
} finally {
  rmSync(root, { recursive: true })
}

function write(path, source) {
  const file = join(root, path)
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, `${source}\n`)
  return { path, source }
}
