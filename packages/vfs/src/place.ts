import fs from 'node:fs'

/** The place of a directory, as one process sees it. */
export interface Place {
  /** The kernel's number for the kind of file system, in hexadecimal; '' if it can't be known. */
  fileSystem: string
  /** The mounted file system: equal for two processes of one boot if they see the same one. */
  device: string
}

/**
 * Returns the place of a directory; `device` if it is known already. Throws the system's error if
 * there is no such directory.
 */
export function placeOf(
  directory: string,
  device: string = String(fs.statSync(directory).dev),
): Place {
  return { fileSystem: kindOf(directory), device }
}

/**
 * Whether only one kernel at a time can have this file system mounted, so that a process on another
 * boot of a machine must be gone. Both sides have to see it so: a directory that is ext4 to a file
 * server is NFS to its clients.
 */
export function isOneKernelOnly({ fileSystem, device }: Place): boolean {
  const backing = ONE_KERNEL.get(fileSystem)
  // Some versions of 9p report the kind of file system that the server has, but never a device.
  return backing === 'any' || (backing === 'device' && majorOf(Number(device)) !== 0)
}

/** Bits 8 to 19 of a device's number: makedev(3). */
function majorOf(device: number): number {
  return Math.floor(device / 0x100) % 0x1000
}

function kindOf(directory: string): string {
  // Other systems number their file systems as they are loaded.
  if (process.platform !== 'linux' && process.platform !== 'android') return ''
  try {
    return `0x${(fs.statfsSync(directory).type >>> 0).toString(16)}`
  } catch {
    return ''
  }
}

/**
 * Kinds by number, see statfs(2). `device`: lies on a block device of its own, whose major number
 * isn't 0. `any`: has no such device, or numbers its volumes itself. Other kinds (NFS, SMB, FUSE,
 * 9p, virtiofs, Ceph, Lustre, GFS2, OCFS2 …) may be in use by several kernels at once.
 */
const ONE_KERNEL: ReadonlyMap<string, 'device' | 'any'> = new Map([
  ['0xef53', 'device'], // ext2, ext3, ext4
  ['0x58465342', 'device'], // xfs
  ['0xf2f52010', 'device'], // f2fs
  ['0x3153464a', 'device'], // jfs
  ['0x52654973', 'device'], // reiserfs
  ['0x3434', 'device'], // nilfs2
  ['0x9123683e', 'any'], // btrfs
  ['0xca451a4e', 'any'], // bcachefs
  ['0x2fc12fc1', 'any'], // zfs
  ['0x1021994', 'any'], // tmpfs
  ['0x858458f6', 'any'], // ramfs
  ['0x794c7630', 'any'], // overlayfs
])
