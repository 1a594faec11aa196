/** Sync bodies as they arrive; what a compressed one inflates to is bounded where it is inflated (16 MiB). */
export const MAX_SYNC_GZIP = 4 * 1024 * 1024;
export const MAX_SYNC_PLAIN = 16 * 1024 * 1024;
/** Every other body. */
export const MAX_BODY = 64 * 1024;
export const HEADER_TIMEOUT_MS = 10_000;
/** From the first byte of a request to the last of its body. */
export const BODY_TIMEOUT_MS = 30_000;
export const MAX_CONNECTIONS = 8192;
/** Of one address, of those that have shown no valid token. */
export const MAX_UNPROVEN = 32;
/** Syncs worked on at once, counted from when their body is complete. */
export const MAX_SYNCS = 8;
/** Bodies of all syncs together, those that arrive included. */
export const MAX_SYNC_MEMORY = 64 * 1024 * 1024;
/** Longest path parameter as sent: the id of a connection, 256 characters of up to four escaped bytes each. */
export const MAX_PARAM = 256 * 12;
