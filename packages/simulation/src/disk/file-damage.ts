import type { Random } from '../random.js'
import type { Disk } from './disk.js'
import type { SimFile } from './sim-file.js'

/** Kinds of damage to a file at rest. */
export const FILE_DAMAGE_KINDS = [
  'flipped bit',
  'cut file',
  'empty file',
  'zeros',
  'noise',
  'other file',
  'longer file',
] as const

export type FileDamageKind = (typeof FILE_DAMAGE_KINDS)[number]

/** Damages a file at rest that isn't empty. `other` is another file of the disk. */
type Damage = (disk: Disk, file: SimFile, other: SimFile, random: Random) => void

export const FILE_DAMAGES: Readonly<Record<FileDamageKind, Damage>> = {
  'flipped bit': (disk, file, _, random) => {
    const at = random.below(file.length)
    const [byte = 0] = file.read(at, at + 1)
    disk.write(file, Uint8Array.of(byte ^ (1 << random.below(8))), at)
  },
  'cut file': (disk, file, _, random) => disk.truncate(file, random.below(file.length)),
  'empty file': (disk, file) => disk.truncate(file, 0),
  zeros: (disk, file) => disk.write(file, new Uint8Array(file.length), 0),
  noise: (disk, file, _, random) => disk.write(file, random.bytes(file.length), 0),
  'other file': (disk, file, other) => {
    disk.truncate(file, other.length)
    disk.write(file, other.read(0, other.length), 0)
  },
  'longer file': (disk, file, _, random) => disk.write(file, random.bytes(100), file.length),
}
