import { createHash, createHmac } from 'node:crypto'
import { systemEnv } from '@firn/env'

/** A service like AWS's, with credentials for it. */
export interface SignedService {
  endpoint: string
  region: string
  accessKeyId: string
  secretAccessKey: string
}

export interface SignedRequest {
  service: 's3' | 'dynamodb'
  method: 'PUT' | 'POST'
  /** Absolute, with only letters, digits, '-' and '/', so that nothing needs to be encoded. */
  path: string
  headers?: Record<string, string>
  body?: string
}

/**
 * Sends one request with a version 4 signature (the AWS General Reference, "Create a signed AWS API
 * request"), for the few requests that are made without an SDK.
 */
export async function signedFetch(to: SignedService, request: SignedRequest): Promise<Response> {
  const { service, method, path, body = '' } = request
  const time = new Date(systemEnv.now() / 1000).toISOString().replace(/[-:]|\.\d+/g, '')
  const date = time.slice(0, 8)
  const url = new URL(path, to.endpoint)
  const headers: Record<string, string> = {
    ...request.headers,
    'x-amz-content-sha256': sha256(body),
    'x-amz-date': time,
  }
  const signed = Object.entries({ ...headers, host: url.host }).sort(([a], [b]) => (a < b ? -1 : 1))
  const names = signed.map(([name]) => name).join(';')
  const lines = signed.map(([name, value]) => `${name}:${value}\n`).join('')
  const canonical = [method, path, '', lines, names, sha256(body)].join('\n')
  const scope = `${date}/${to.region}/${service}/aws4_request`
  const text = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n')
  let key = hmac(`AWS4${to.secretAccessKey}`, date)
  for (const part of [to.region, service, 'aws4_request']) key = hmac(key, part)
  const signature = hmac(key, text).toString('hex')
  headers['authorization'] =
    `AWS4-HMAC-SHA256 Credential=${to.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`
  return fetch(url, { method, headers, ...(body === '' ? {} : { body }) })
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
