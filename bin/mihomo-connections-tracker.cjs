#!/usr/bin/env node
'use strict';
// Plain JavaScript without a single modern construct: the oldest Node must be able to parse this
// file, to be told what it needs before anything native is loaded.
var needed = [22, 18];
var given = process.versions.node.split('.');
var major = Number(given[0]);
var minor = Number(given[1]);
if (major < needed[0] || (major === needed[0] && minor < needed[1])) {
  console.error(
    'mihomo-connections-tracker needs Node.js ' +
      needed.join('.') +
      ' or newer; this is ' +
      process.versions.node +
      '.\nInstall a newer one from https://nodejs.org, or run it once with: npx -p node@24 node ' +
      __filename,
  );
  process.exit(2);
}
require('./start.cjs');
