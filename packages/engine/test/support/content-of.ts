import fs from 'node:fs'
import path from 'node:path'

/** Every file below a directory, and what is in it. */
export function contentOf(directory: string): Record<string, string> {
  const files: Record<string, string> = {}
  for (const entry of fs.readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name)
    if (entry.isFile()) files[path.relative(directory, file)] = fs.readFileSync(file, 'latin1')
  }
  return files
}
