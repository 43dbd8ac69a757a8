/** Numbers of classes from this one on are mistakes, not classes. */
export const MOST_CLASSES = 10_000;

/** Whether a number may be that of a class, counted from 0. */
export const isClassNumber = (value: number | undefined): value is number =>
  value !== undefined && Number.isInteger(value) && value >= 0 && value < MOST_CLASSES;
