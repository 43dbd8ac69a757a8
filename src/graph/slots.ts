import type { Node, Ops, Value } from './spec.js';

export const paramAttrs = (value: Value): Ops['param'] => (value.node as unknown as Node<'param'>).attrs;

/** Name of what an optimizer keeps beside a parameter. */
export const slotName = (slot: string, name: string): string => `${slot}/${name}`;
/** The parameter that a slot belongs to; any other name is its own. */
export const slotOwner = (name: string): string => name.slice(name.indexOf('/') + 1);
