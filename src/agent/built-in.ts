/**
 * Parts of Node that an agent does not import. `import` reads everything that a module exports, and from node:http that
 * is also `WebSocket`: Node then loads its copy of undici, with HTTP/2 and the streams of the web. TLS is of no use to an
 * agent in a household's own network, and loaded by those that speak it. Together 6 MB of 70.
 */
export const http = process.getBuiltinModule('node:http');
export const https = () => process.getBuiltinModule('node:https');
export const tls = () => process.getBuiltinModule('node:tls');
