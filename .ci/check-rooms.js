// Checks the order of the engine's rooms, the folders of packages/engine/src/internal: a file may
// import from its own room and from the rooms below it, types included. Checks itself first.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

/** From the top down. Rooms of one line don't import from each other. */
const ORDER = [
  ['open'],
  ['database'],
  ['transaction'],
  ['handles'],
  ['ingest', 'maintenance'],
  ['commit', 'read'],
  ['append'],
  ['view'],
  ['files'],
  ['memtable'],
  ['arguments'],
]
/** A room with more files than this is two rooms. */
const MOST_FILES = 13

const INTERNAL = resolve(import.meta.dirname, '../packages/engine/src/internal')
const IMPORT = /(?:\bfrom|\bimport|\bimport\(|new URL\()\s*['"](\.[^'"]+)['"]/g

/** How far down a room is; -1 if it is none. */
function floorOf(room) {
  return ORDER.findIndex((rooms) => rooms.includes(room))
}

/** What a file imports that it may not, in words. `path`: relative to the rooms' folder. */
function wrongImports(path, code) {
  const room = path.split('/')[0]
  const wrong = []
  for (const [, target] of code.matchAll(IMPORT)) {
    const to = relative(INTERNAL, resolve(INTERNAL, dirname(path), target))
    const other = to.split('/')[0]
    if (other === '..' || other === room) continue
    if (floorOf(other) <= floorOf(room)) wrong.push(`${path} imports ${to}, which isn't below it`)
  }
  return wrong
}

const WRONG = [
  "import { open } from '../open/locate.js'",
  "import type { HeadSource } from '../database/head-source.js'",
  "import { type Scan, RowScan } from '../read/row-scan.js'",
  "export * from '../transaction/read-set.js'",
  "const { locateS3 } = await import('../open/locate-s3.js')",
]
const RIGHT = [
  "import type { View } from '../view/view.js'",
  "import { KeySet } from './key-set.js'",
  "import type { Commit } from '../../write-options.js'",
  "import { takeRange } from '../arguments/range.js'",
]
const problems = []
for (const code of WRONG) {
  if (wrongImports('commit/planted.ts', code).length !== 1) problems.push(`not found: ${code}`)
}
for (const code of RIGHT) {
  if (wrongImports('commit/planted.ts', code).length !== 0) problems.push(`wrongly found: ${code}`)
}

for (const entry of readdirSync(INTERNAL, { withFileTypes: true })) {
  if (!entry.isDirectory() || floorOf(entry.name) < 0) {
    problems.push(`${entry.name} is no room; add it to the order, or move it into one`)
    continue
  }
  const files = readdirSync(join(INTERNAL, entry.name))
  if (files.length > MOST_FILES) problems.push(`${entry.name} has ${files.length} files`)
  for (const file of files) {
    const path = `${entry.name}/${file}`
    problems.push(...wrongImports(path, readFileSync(join(INTERNAL, path), 'utf8')))
  }
}
for (const problem of problems) console.error(problem)
if (problems.length > 0) process.exitCode = 1
