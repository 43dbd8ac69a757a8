import type { Node, Ops, Value } from './spec.js';

export const paramAttrs = (value: Value): Ops['param'] => (value.node as unknown as Node<'param'>).attrs;

/** Name of a value that is kept for a parameter, such as its momentum. */
export const slotName = (slot: string, name: string): string => `${slot}/${name}`;
/** Name of the parameter that a slot belongs to; any other name is returned as it is. */
export const slotOwner = (name: string): string => name.slice(name.indexOf('/') + 1);
