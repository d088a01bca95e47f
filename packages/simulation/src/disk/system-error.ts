/** An error as `node:fs` makes them. */
export function systemError(code: string, syscall: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${syscall} '${path}'`), {
    code,
    errno: -1,
    syscall,
    path,
  })
}
