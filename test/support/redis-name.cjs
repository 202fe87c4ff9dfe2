'use strict';

const dns = require('node:dns');
const { readFileSync } = require('node:fs');
const { nextTick } = require('node:process');

/**
 * In a program that calls this before anything else, the name is at the address that stands in the file at that
 * moment, as with a name server whose entry a fail-over changes.
 */
module.exports = (name, file) => {
  const { lookup } = dns;
  dns.lookup = (host, options, callback) => {
    if (host !== name) return lookup(host, options, callback);
    const done = callback ?? options;
    const address = readFileSync(file, 'utf8').trim();
    nextTick(() => (options.all ? done(null, [{ address, family: 4 }]) : done(null, address, 4)));
  };
};
