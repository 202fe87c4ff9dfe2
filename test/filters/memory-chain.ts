import type { HeadView } from '../../runtime/rpc/head-view';
import type { Outcome } from '../../runtime/rpc/outcome';
import { toQuantity } from '../../runtime/rpc/block-param';

export interface MadeBlock {
  readonly number: number;
  readonly hash: string;
  readonly parentHash: string;
  /** The logs as a node writes them. */
  readonly logs: readonly string[];
}

/** A chain in memory, that grows and gives blocks up, and answers as a node does; `ring` newest blocks are known unasked. */
export class MemoryChain {
  readonly blocks: MadeBlock[] = [];
  private made = 0;
  /** Questions it was asked. */
  asked: string[] = [];
  /** The most blocks one eth_getLogs may be about, before it is refused. */
  maxRange = Infinity;
  /** It refuses whatever it is asked. */
  refusing = false;

  constructor(public ring = 256) {
    this.grow(0);
  }

  get tip(): MadeBlock {
    const tip = this.blocks.at(-1);
    if (tip === undefined) throw new Error('a chain has at least one block');
    return tip;
  }

  /** One more block, with so many logs. */
  grow(logs: number): void {
    const number = this.blocks.length;
    const hash = `0x${(++this.made).toString(16).padStart(64, '0')}`;
    const parentHash = this.blocks[number - 1]?.hash ?? `0x${'0'.repeat(64)}`;
    const texts = Array.from({ length: logs }, (_, index) =>
      JSON.stringify({ blockNumber: toQuantity(number), blockHash: hash, logIndex: toQuantity(index), removed: false }),
    );
    this.blocks.push({ number, hash, parentHash, logs: texts });
  }

  /** Gives up the newest blocks; never the first. */
  rewind(blocks: number): void {
    this.blocks.length = Math.max(1, this.blocks.length - blocks);
  }

  /** As it is now. */
  get head(): HeadView {
    const hashes = this.blocks.map(({ hash }) => hash);
    const { number, hash } = this.tip;
    const known = (at: number): string | undefined => (at > number - this.ring ? hashes[at] : undefined);
    return { number, hash, hashAt: known, finalized: undefined };
  }

  readonly send = (method: string, params: readonly unknown[]): Promise<Outcome> => {
    this.asked.push(method);
    return Promise.resolve(this.refusing ? REFUSED : this.answer(method, params[0]));
  };

  private answer(method: string, param: unknown): Outcome {
    switch (method) {
      case 'eth_getBlockByNumber':
        return toBlock(this.blocks[Number(param)]);
      case 'eth_getBlockByHash':
        return toBlock(this.blocks.find(({ hash }) => hash === param));
      default: {
        const { fromBlock, toBlock } = param as { fromBlock: string; toBlock: string };
        const count = Number(toBlock) - Number(fromBlock) + 1;
        if (count > this.maxRange) return { kind: 'error', error: Buffer.from('{"code":-32005,"message":"range"}') };
        const logs = this.blocks.slice(Number(fromBlock), Number(toBlock) + 1).flatMap((block) => block.logs);
        return { kind: 'result', result: Buffer.from(`[${logs.join(',')}]`) };
      }
    }
  }
}

const REFUSED: Outcome = { kind: 'error', error: Buffer.from('{"code":-32000,"message":"not now"}') };

function toBlock(block: MadeBlock | undefined): Outcome {
  const told = block === undefined ? null : { ...block, number: toQuantity(block.number) };
  return { kind: 'result', result: Buffer.from(JSON.stringify(told)) };
}
