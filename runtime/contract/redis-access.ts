/**
 * What the user of Redis may do (https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/); order
 * matters. Scripts ask for the time, and without scripts or the time limits would be each process's own; INFO tells a
 * replica from its primary. ElastiCache's user has these rights on the keys of one prefix: `on ~PREFIX* RIGHTS`.
 */
export const REDIS_RIGHTS = '-@all +@read +@write +@connection +@transaction +@scripting +time -@dangerous +info';
