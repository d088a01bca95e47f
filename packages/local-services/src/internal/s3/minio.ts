import { freePort } from '../free-port.js'
import { type S3Credentials, type S3Server, startServer } from './s3-server.js'

// $1: the folder. $2: the address.
const SERVER = `
folder=$1
end() {
  trap '' TERM INT HUP
  kill -KILL "$server"
  wait
  rm -rf "$folder"
  exit "$1"
} 2>/dev/null
trap 'end 0' TERM INT HUP
minio server --quiet --address "$2" "$folder" &
server=$!
wait "$server"
end 1
`

/** Starts MinIO on a free port with these credentials. */
export async function startMinio({
  accessKeyId,
  secretAccessKey,
}: S3Credentials): Promise<S3Server> {
  const address = `127.0.0.1:${await freePort()}`
  const endpoint = `http://${address}`
  return startServer({
    name: 'MinIO',
    endpoint,
    script: SERVER,
    parameters: [address],
    env: {
      ...process.env,
      MINIO_ROOT_USER: accessKeyId,
      MINIO_ROOT_PASSWORD: secretAccessKey,
      MINIO_BROWSER: 'off',
      MINIO_UPDATE: 'off',
    },
    isReady: async () => {
      const response = await fetch(`${endpoint}/minio/health/ready`)
      await response.arrayBuffer()
      return response.ok
    },
  })
}
