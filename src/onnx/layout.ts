/** Where the channels of images stand. Our graphs put them last, [N,H,W,C]; ONNX's image ops want them first, [N,C,H,W].
 *  Values of higher rank, [N,H,W,A,B], become [N,A,B,H,W]. */
export type Order = 'last' | 'first';

/** Least rank of values that have the two orders. */
export const IMAGE_RANK = 4;

/** The permutation that turns a value of this rank from channels last to the given order. */
export function permutationTo(order: Order, rank: number): number[] {
  const axes = Array.from({ length: rank }, (_, i) => i);
  return order === 'last' ? axes : [0, ...axes.slice(3), 1, 2];
}
