import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { methodsPage } from '../../bin/methods-page';
import { methodRow, methodRows } from '../../runtime/rpc/methods';

const rows = [...methodRows()];

it('docs/methods.md is what bin/methods-page.ts writes', () => {
  expect(readFileSync(join(__dirname, '../../docs/methods.md'), 'utf8')).toBe(methodsPage());
});

describe('the method table', () => {
  it('keeps nothing of what may have effects or belongs to one node', () => {
    const kept = rows.filter(([, row]) => row.cache !== 'never');
    expect(kept.length).toBeGreaterThan(20);
    expect(kept.filter(([, row]) => row.repeat !== 'read' || row.local !== undefined)).toEqual([]);
  });

  it('keeps at a block only what says at which', () => {
    expect(
      rows.filter(([, row]) => (row.cache === 'block') !== (row.block !== undefined)).map(([name]) => name),
    ).toEqual([]);
  });

  it('names by hash exactly the six methods of EIP-1898', () => {
    const takers = rows.filter(([, row]) => row.block?.takes === 'eip1898').map(([name]) => name);
    expect(takers.sort()).toEqual([
      'eth_call',
      'eth_getBalance',
      'eth_getCode',
      'eth_getProof',
      'eth_getStorageAt',
      'eth_getTransactionCount',
    ]);
  });

  it('lets a method that it does not know run once, unless it is said to read', () => {
    expect(methodRow('x_y', () => false).repeat).toBe('once');
    expect(methodRow('x_y', () => true).repeat).toBe('read');
    expect(methodRow('constructor', () => false).repeat).toBe('once');
  });
});
