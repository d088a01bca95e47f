export { DiskCache, type DiskCacheOptions, type DiskCacheStats } from './disk-cache.js'
