/** The ImageNet mean in RGB, 0…255. SSD uses it for what lies outside the image (Liu et al. 2016, §3.2). */
export const meanColour: readonly [number, number, number] = [123, 117, 104];
