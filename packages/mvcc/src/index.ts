export * from './cursor.js'
export * from './record.js'
