import { type ServiceProcess, startProcess } from '../service-process.js'
import { tempFolder } from '../temp-folder.js'

export interface S3Credentials {
  accessKeyId: string
  secretAccessKey: string
}

/** A server that answers, until `stop`. */
export interface S3Server {
  endpoint: string
  stop(): Promise<void>
}

/** Says how to run a server whose data is in one folder. */
export interface S3Recipe {
  name: string
  endpoint: string
  /**
   * A script for a POSIX shell, with the folder as its first parameter. It runs the server until it
   * gets SIGTERM, and removes the folder before it ends.
   */
  script: string
  /** The parameters after the folder. */
  parameters: readonly string[]
  env?: NodeJS.ProcessEnv
  /** Called with the folder before the script starts. */
  prepare?(folder: string): void
  isReady(): Promise<boolean>
}

/** Runs a recipe in a new folder and waits until the server is ready. */
export async function startServer(recipe: S3Recipe): Promise<S3Server> {
  const { name, endpoint, script, parameters, env, isReady } = recipe
  const folder = tempFolder('s3')
  let service: ServiceProcess
  try {
    recipe.prepare?.(folder.path)
    service = await startProcess({
      name,
      command: '/bin/sh',
      args: ['-c', script, 'firn-s3', folder.path, ...parameters],
      ...(env === undefined ? {} : { env }),
      isReady,
      startTimeoutMs: 60_000,
    })
  } catch (error) {
    folder.remove()
    throw error
  }
  const stop = async () => {
    await service.stop()
    // If the script was killed, the folder is still there.
    folder.remove()
  }
  return { endpoint, stop }
}
