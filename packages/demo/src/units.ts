/** `135,233` */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en')
}

/** `1.2 s`, `34 ms`, `0.56 ms` */
export function duration(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`
  return `${ms >= 10 ? ms.toFixed(0) : ms.toFixed(2)} ms`
}

/** `84,000 per second`: the measured rate, to two digits. */
export function perSecond(amount: number, ms: number): string {
  return `${count(Number(((amount / ms) * 1000).toPrecision(2)))} per second`
}

/** `12.3 MB` */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}

/** `2026-03-01 12:34:56.789 UTC`, from microseconds since the epoch. */
export function moment(micros: number): string {
  const iso = new Date(micros / 1000).toISOString()
  return `${iso.slice(0, 10)} ${iso.slice(11, 23)} UTC`
}
