import fs from 'node:fs'
import path from 'node:path'
import { systemEnv } from '@firn/env'
import { CEPH_COMMANDS, startCeph } from './internal/s3/ceph.js'
import { startMinio } from './internal/s3/minio.js'
import type { S3Server } from './internal/s3/s3-server.js'

export type S3Kind = 'ceph' | 'minio'

/** An S3 server on loopback, until `stop`, which removes its data. It has no bucket yet. */
export interface LocalS3 {
  readonly kind: S3Kind
  readonly endpoint: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Ends its processes, waits for them, and removes its folder. Idempotent. */
  stop(): Promise<void>
}

export interface StartS3Options {
  /** Default: what `findS3` finds. */
  kind?: S3Kind
}

/**
 * The packages of Debian and Ubuntu with Ceph's gateway and its dependencies: 250 MB with
 * `apt-get install --no-install-recommends`. None of them starts anything by itself.
 */
export const CEPH_DEBIAN_PACKAGES: readonly string[] = ['radosgw', 'ceph-mon', 'ceph-osd']

export const HOW_TO_GET_S3: string =
  `on Debian or Ubuntu run \`apt-get install --no-install-recommends ` +
  `${CEPH_DEBIAN_PACKAGES.join(' ')}\`; elsewhere put \`minio\` on the PATH`

/**
 * Finds an S3 server that can be started here: Ceph's gateway, else MinIO, if it is on the PATH.
 */
export function findS3(): S3Kind | undefined {
  if (CEPH_COMMANDS.every(isOnPath)) return 'ceph'
  return isOnPath('minio') ? 'minio' : undefined
}

/**
 * Starts one on free ports, in a temporary folder, with its own credentials. Rejects if there is
 * none, and says how to get one. On an idle machine, Ceph is up in a second. The server ends with
 * this process, however that ends.
 */
export async function startS3(options: StartS3Options = {}): Promise<LocalS3> {
  const kind = options.kind ?? findS3()
  if (kind === undefined) throw new Error(`there is no S3 server to start here: ${HOW_TO_GET_S3}`)
  const credentials = { accessKeyId: randomHex(10), secretAccessKey: randomHex(20) }
  const start = () => (kind === 'ceph' ? startCeph(credentials, uuid) : startMinio(credentials))
  const { endpoint, stop } = await withFreePorts(start)
  return { kind, endpoint, region: 'us-east-1', ...credentials, stop }
}

/** Retries, because another process may take a port between the look and the start. */
async function withFreePorts(start: () => Promise<S3Server>): Promise<S3Server> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start()
    } catch (error) {
      if (attempt === 3) throw error
    }
  }
}

function isOnPath(command: string): boolean {
  return (process.env['PATH'] ?? '').split(path.delimiter).some((folder) => {
    try {
      fs.accessSync(path.join(folder, command), fs.constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

function randomHex(bytes: number): string {
  return Buffer.from(systemEnv.randomBytes(bytes)).toString('hex')
}

function uuid(): string {
  const hex = randomHex(16)
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20)]
  return [...parts, hex.slice(20)].join('-')
}
