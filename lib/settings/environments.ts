import { prod } from './prod';
import { staging } from './staging';
import type { Settings } from './types';

/** Those that can be chosen by `-c env=`. Another one is one more object here. */
export const ENVIRONMENTS: readonly Settings[] = [staging, prod];
