import { Signature, Transaction } from 'ethers';

export type Hex = string;

/** The fields of a transaction object of the JSON-RPC API that are used here. */
export interface TransactionJson {
  readonly hash: Hex;
  readonly type: Hex;
  readonly chainId?: Hex | null;
  readonly nonce: Hex;
  readonly gas: Hex;
  readonly gasPrice?: Hex;
  readonly maxFeePerGas?: Hex;
  readonly maxPriorityFeePerGas?: Hex;
  readonly to: Hex | null;
  readonly value: Hex;
  readonly input: Hex;
  readonly accessList?: readonly { readonly address: Hex; readonly storageKeys: readonly Hex[] }[];
  readonly authorizationList?: readonly AuthorizationJson[];
  readonly r: Hex;
  readonly s: Hex;
  readonly v: Hex;
}

/** An entry of an EIP-7702 authorization list. */
interface AuthorizationJson {
  readonly address: Hex;
  readonly nonce: Hex;
  readonly chainId: Hex;
  readonly r: Hex;
  readonly s: Hex;
  readonly yParity: Hex;
}

export interface SignedTransaction {
  readonly hash: Hex;
  /** What eth_sendRawTransaction takes. */
  readonly raw: Hex;
}

/**
 * The signed bytes of a transaction a node shows. They are rebuilt rather than asked for, because a transaction that
 * has left the pool since it was announced can no longer be asked for.
 *
 * `undefined` for what no other node would take: transactions of impersonated accounts, which have no signature, and
 * blob transactions (EIP-4844), whose blobs are not shown.
 */
export function signedTransaction(json: TransactionJson): SignedTransaction | undefined {
  if (BigInt(json.r) === 0n) return undefined;
  try {
    const transaction = Transaction.from({ ...envelope(json), signature: signature(json) });
    return transaction.hash === json.hash ? { hash: json.hash, raw: transaction.serialized } : undefined;
  } catch {
    return undefined;
  }
}

function envelope(json: TransactionJson): Parameters<typeof Transaction.from>[0] & object {
  const type = Number(json.type);
  const common = { type, nonce: Number(json.nonce), gasLimit: json.gas, to: json.to, value: json.value };
  const content = { ...common, data: json.input, chainId: json.chainId ?? 0n };
  if (type === 0) return { ...content, gasPrice: json.gasPrice ?? null };
  const accessList = (json.accessList ?? []).map((entry) => ({ ...entry, storageKeys: [...entry.storageKeys] }));
  if (type === 1) return { ...content, accessList, gasPrice: json.gasPrice ?? null };
  const fees = { maxFeePerGas: json.maxFeePerGas ?? null, maxPriorityFeePerGas: json.maxPriorityFeePerGas ?? null };
  if (type !== 4) return { ...content, ...fees, accessList };
  return { ...content, ...fees, accessList, authorizationList: (json.authorizationList ?? []).map(authorization) };
}

function authorization({ address, nonce, chainId, r, s, yParity }: AuthorizationJson) {
  return {
    address,
    nonce: BigInt(nonce),
    chainId: BigInt(chainId),
    signature: Signature.from(signature({ r, s, v: yParity })),
  };
}

function signature({ r, s, v }: { readonly r: Hex; readonly s: Hex; readonly v: Hex }) {
  return { r: word(r), s: word(s), v: Number(v) };
}

/** JSON-RPC quantities have no leading zeros; a signature's halves have 32 bytes. */
function word(quantity: Hex): Hex {
  return `0x${quantity.slice(2).padStart(64, '0')}`;
}
