/** Why a conversation with HAProxy failed, or a command of it. */
export type SocketErrorCode =
  /** Nobody listens there: HAProxy is down, or the address is wrong. */
  | 'REFUSED'
  /** The connection broke, or could not be made for another reason. */
  | 'UNREACHABLE'
  /** It listens and does not answer in time. */
  | 'TIMEOUT'
  /** The connection ended before every command was answered. */
  | 'HALF_ANSWER'
  /** What answers is not HAProxy, or not as HAProxy does. */
  | 'BAD_ANSWER'
  /** A command of ours that must not be sent. */
  | 'BAD_COMMAND'
  /** The caller wants the answer no more. */
  | 'ABORTED'
  | RefusalCode;

/** HAProxy understood the conversation and refused one command. */
export type RefusalCode =
  | 'NO_SUCH_SERVER'
  | 'NO_SUCH_BACKEND'
  /** The backend's algorithm takes no weights but 0 % and 100 %. */
  | 'STATIC_WEIGHTS'
  /** The socket's `level` is too low. */
  | 'PERMISSION_DENIED'
  | 'UNKNOWN_COMMAND'
  /** For a reason its text tells. */
  | 'COMMAND_REFUSED';

export class HaproxySocketError extends Error {
  override readonly name = 'HaproxySocketError';

  constructor(
    readonly code: SocketErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
